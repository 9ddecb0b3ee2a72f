package step

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// borrowed says why a repository lacks objects, and what helps.
const borrowed = "the repository borrows objects from another one, which is not in the directory (git clone --shared or --reference): " +
	"copy them with git repack -a -d, and remove .git/objects/info/alternates"

// borrows reports whether the repository in dir has some of its objects in others
// (gitrepository-layout(5), objects/info/alternates).
func borrows(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, ".git", "objects", "info", "alternates"))
	return err == nil && info.Size() > 0
}

// lacking returns a warning if .gitcommit is incomplete because objects are elsewhere:
// git cannot describe a commit that it does not have.
func lacking(dir, commit string) []bundle.Warning {
	if _, described, _ := strings.Cut(commit, "\n"); described != "" || !borrows(dir) {
		return nil
	}
	what := "its second line is empty"
	if commit == "" {
		what = "left out"
	}
	return []bundle.Warning{{Path: bundle.GitCommitFile, Text: what + ": " + borrowed}}
}

// elsewhere adds to an error of git that objects are elsewhere, if so.
func elsewhere(dir string, err error) error {
	if err != nil && borrows(dir) {
		return fmt.Errorf("%w: %s", err, borrowed)
	}
	return err
}
