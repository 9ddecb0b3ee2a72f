// Package topfile reads spirotop.sls and top.sls as the server does. It says which
// minions get which SLS, and what keeps a bundle from being applied. Deploy uses it
// before it sends anything, and so does the test server.
//
// # How the server reads spirotop.sls
//
// The facts are those of SpiroFS 0.3 (utils/spiro.py) with Salt 3005.5, and
// are held against that code by tests/topfile and tests/parity.
//
// SpiroFS looks at spirotop.sls only if the bundle has no top.sls. It reads the
// file as UTF-8 text, in which each line end of any system is one, and as plain
// YAML: there is no Jinja. It then writes a top.sls with the saltenv
// PROJECT/DEPLOYMENT as its only key and, below it, what stands below the key
// DEPLOYMENT, sorted by key. If there is no such key, it writes an empty mapping. If
// the file is empty, it writes none. If the file cannot be read or is no mapping,
// the deployment ends with an exception.
//
// The loader is Salt's (salt/utils/yamlloader.py): PyYAML's safe loader, which
// takes YAML 1.1, on libyaml.
//
//   - A plain scalar is a truth value (yes, no, on, off, true, false, in small
//     letters, capitals or with a capital in front), null (~, null, nothing), an
//     integer (12, 0b1, 0x1F, 1_000, and 1:30 to base 60), a float (1.5, 1.0e+3,
//     .inf, .nan, and 1:30.5 to base 60) or a text. y, n, 0o17 and 1e3 are texts.
//     Other than with PyYAML alone, leading zeros do not count (017 is 17), and a
//     time is a text.
//   - A key that is not a text is not a deployment, such as on, no, 1 and null.
//   - A key that is there twice is an error; so are 1 and 1.0, and a key that two
//     merged mappings (<<) both have.
//   - One document, anchors and aliases, and no tags but those of YAML itself.
//
// # What Salt makes of top.sls
//
// Salt renders top.sls, also the one that SpiroFS made. A text of spirotop.sls with
// Jinja in it thus becomes a template, and nothing is known of its section. Salt
// then looks at the section of the saltenv only (top_file_merging_strategy: merge).
//
//   - The section is a mapping of targets, and each target has a list. With another
//     shape (a text for the list, nothing for the targets, an empty name, an option
//     without a value) Salt refuses the whole, which is all top files of the master:
//     it finds no minion for any deployment (verify_tops in salt/state.py).
//   - A list has names of SLS, {match: TYPE}, and {SALTENV: SLS}. The match type is
//     compound without one (salt/matchers/confirm_top.py).
//   - A compound target is words: ids and globs of ids, L@ID,ID, G@, P@, I@, J@, E@,
//     S@, N@ and R@, joined by and, or, not and parentheses that stand by
//     themselves. An expression that Python cannot evaluate matches no minion. A target
//     with an empty list still concerns the minions that match.
//   - A list target is ids joined by commas. Spaces belong to the ids.
//
// [Section.Expected] are the ids that must match: a target is true for them, with all
// values of the unknown words (grains, pillar, node groups).
//
// An SLS web.sub is web/sub.sls or else web/sub/init.sls. A name with wildcards
// stands for every SLS that it matches (render_highstate in salt/state.py).
//
// # Limits
//
// A top file has at most 1 MiB and is at most 200 levels deep. The package parses it again
// for each comment that has no white space before it, as in [web]# all, and refuses the
// file if it would parse more than 4 MiB again. Merge keys and aliases may make 100,000
// values of it. A key is at most 1,024 characters long.
//
// The package is stricter than the server with what no top file needs: [-] and [?a] in
// flow collections, flow collections indented less than what they are in, a tab before #
// in the last line of a quoted text, anchors with punctuation, a byte order mark inside the
// file, and the tags !!omap and !!str on a mapping. It takes a few texts over several lines
// in flow collections and block scalars that libyaml refuses, and a few others: a tab at the
// beginning of the line below an anchor, base64 that goes on after its end, and "..." after
// a line separator.
package topfile
