package faults_test

import "github.com/spirostack/spirodeploy/spirodeploy/report"

// tops are the faults of a bundle's top file.
var tops = []fault{
	{name: "`spirotop.sls` is no YAML", over: "http", breaks: top("prod:\n  '*': [web\n")},
	{name: "`spirotop.sls` has two documents", over: "http", breaks: top("prod: {'*': [web]}\n---\nprod: {}\n")},
	{name: "the deployment is not in `spirotop.sls`", over: "http", breaks: top("canary: {'*': [web]}\nprdo: {'*': [web]}\n")},
	{name: "the same, with `--missing-minions warn`", over: "http", breaks: func(s *scene) {
		top("canary: {'*': [web]}\n")(s)
		s.opts.MissingMinions = report.Warn
		s.serve()
	}},
	{name: "`spirotop.sls` names an SLS that is not there", over: "http", breaks: top("prod: {'*': [web, nginx]}\n")},
	{name: "`spirotop.sls` has a text in place of a list", over: "http", breaks: top("prod: {'*': web}\n")},
	{name: "a source is not there, with `--strict`", over: "http", breaks: func(s *scene) {
		s.file("_salt/web.sls", "motd:\n  file.managed:\n    - name: /etc/motd\n    - source: salt://motd\n")
		s.opts.Strict = true
	}},
}

func top(text string) func(*scene) {
	return func(s *scene) { s.file("_salt/spirotop.sls", text) }
}
