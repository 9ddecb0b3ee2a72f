package salt

import (
	"os"
	"strings"
)

// VersionsVariable is the environment variable that names the versions to test,
// separated by commas; "all" is all of them.
const VersionsVariable = "SPIRODEPLOY_SALT"

// Matrix returns the versions of Salt to test: those that [VersionsVariable] names,
// else all with CI=true, else the newest.
func Matrix() []string {
	named := os.Getenv(VersionsVariable)
	switch {
	case named == "all", named == "" && os.Getenv("CI") == "true":
		return Versions
	case named == "":
		return []string{Newest}
	}
	return strings.Split(named, ",")
}
