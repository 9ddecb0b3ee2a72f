// Package spirotest is a deploy server for tests: it speaks the protocol of
// SpiroFS 0.3 in this process, with no Salt master behind it. Pipelines,
// clients and demos deploy to it, and a test then looks at what arrived.
//
//	srv := spirotest.New(t, spirotest.Options{
//		Minions: []spirotest.Minion{{ID: "web1"}},
//	})
//	token := srv.Token(time.Hour, "shop")
//	// deploy to srv.URL() with that token …
//	dep, ok := srv.Deployment("shop", "prod")
//
// # What it does
//
// GET / checks a token. POST / takes a deployment: it unpacks
// the bundle, makes top.sls from spirotop.sls (read by package topfile) if there is
// one and no top.sls, and swaps the result in whole. Asked for a highstate, it finds the
// [Minion]s that top.sls concerns and lets each report what it is scripted
// to. Statuses, header fields, event names and the way JSON is written are
// those of SpiroFS 0.3 in a Salt 3005 master, down to its habits: a refused
// POST is answered after its whole body was read, a 401 has no
// WWW-Authenticate, any non-empty highstate means yes ("False" too), and a
// request body over 100 MiB on plain HTTP resets the connection.
//
// # Where it differs on purpose
//
//   - A request that is answered 403 or 400 deploys nothing. The real server unpacks a
//     bundle that it answers 403, and the first of two that it answers 400.
//   - A project or deployment that is empty, ".", ".." or has a slash is
//     answered 400. The real server writes outside its directory for them.
//   - A bundle with an absolute name, a name or a link that leads out of the
//     deployment, a device or a pipe ends with an exception event. The real
//     server unpacks them.
//   - A tar that is damaged after its first member is answered 400. The real
//     server takes some of them up to the damage. It also reads xz.
//   - A bundle that does not unpack leaves nothing. The real server keeps the
//     half-unpacked folder.
//   - top.sls is not rendered: one that has Jinja in it concerns every minion.
//     Of grains, pillar and node groups it knows what [Minion] lists.
//   - A top.sls that Salt refuses concerns no minion in its own deployment. On the
//     real server no minion of the master then finds any of its states.
package spirotest
