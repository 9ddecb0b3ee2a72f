package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// modulePath is the path of the Go module and the address of the Dagger module.
const modulePath = "github.com/spirostack/spirodeploy"

// moduleRef returns the ref of the Dagger module to serve: the one that the flag names, the
// one in dir if that is this project's repository, or the version that this process was
// built with.
func moduleRef(flag, dir string, info *debug.BuildInfo) (string, error) {
	switch {
	case flag != "":
		return flag, nil
	case isRepository(dir):
		return dir, nil
	}
	ref, err := builtRef(dir, info)
	if err != nil {
		return "", fmt.Errorf("cannot tell which Dagger module to serve (%w): name it with -module=%s@VERSION", err, modulePath)
	}
	return ref, nil
}

// isRepository reports whether a directory is the root of this project's repository or of
// a copy.
func isRepository(dir string) bool {
	content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	return err == nil && modfile.ModulePath(content) == modulePath && isModule(dir)
}

// isModule reports whether a directory holds a Dagger module.
func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "dagger.json"))
	return err == nil
}

// builtRef returns the ref of the module that this process was built with.
func builtRef(dir string, info *debug.BuildInfo) (string, error) {
	if info == nil {
		return "", errors.New("this program has no build information")
	}
	for _, dep := range info.Deps {
		switch {
		case dep.Path != modulePath:
			continue
		case dep.Replace == nil:
			return versionRef(modulePath, dep.Version)
		case dep.Replace.Version != "":
			return versionRef(dep.Replace.Path, dep.Replace.Version)
		}
		local := dep.Replace.Path
		if !filepath.IsAbs(local) {
			local = filepath.Join(dir, local)
		}
		if !isModule(local) {
			return "", fmt.Errorf("go.mod replaces it with %s, which holds no Dagger module", dep.Replace.Path)
		}
		return filepath.Abs(local)
	}
	return "", errors.New("this program was not built with it")
}

// versionRef returns the ref of a release, which is a tag of the repository.
func versionRef(path, version string) (string, error) {
	if module.IsPseudoVersion(version) {
		commit, _ := module.PseudoVersionRev(version) // it is a pseudo-version
		return "", fmt.Errorf("go.mod names commit %s instead of a release, and Dagger needs the full hash", commit)
	}
	if !semver.IsValid(version) || semver.Build(version) != "" {
		return "", fmt.Errorf("its version is %q, which is not a release", version)
	}
	return path + "@" + version, nil
}
