// Package salt brings up a real Salt master with SpiroFS, and real minions, on
// loopback ports and below a temporary directory, for tests and the demo.
//
// [PrepareVersion] installs a version of Salt, SpiroFS 0.3 and contrib/spirofs-compat
// once, into a Python environment in the user's cache directory. All versions are pinned.
// [Env.Start] starts a master and its minions in some seconds. A keeper, a process of its
// own, ends them and removes the directory when the master is closed, or when the process
// that started it has ended in any way.
package salt
