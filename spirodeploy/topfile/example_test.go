package topfile_test

import (
	"context"
	"fmt"
	"log"

	"github.com/spirostack/spirodeploy/spirodeploy/topfile"
)

// A typing error in the deployment's name is told before anything is sent.
func ExampleCheck() {
	bundle := files{"spirotop.sls": "canary:\n  'web1 or web2': [web]\nprod:\n  'web*': [web, db]\n", "web.sls": ""}
	for _, deployment := range []string{"prdo", "prod", "canary"} {
		result, err := topfile.Check(context.Background(), bundle, topfile.Options{Project: "shop", Deployment: deployment, Prefix: "_salt/"})
		if err != nil {
			log.Fatal(err)
		}
		for _, finding := range result.Findings {
			fmt.Printf("%s: %s\n", finding.Severity, finding.Text)
		}
		fmt.Println(deployment, result.Section.Expected())
	}
	// Output:
	// problem: deployment prdo is not in _salt/spirotop.sls; it has canary, prod: did you mean prod?
	// prdo []
	// problem: _salt/spirotop.sls:4:17 names the SLS db, and the bundle has neither db.sls nor db/init.sls
	// prod []
	// canary [web1 web2]
}

// A top file lists its deployments, and who gets what in each.
func ExampleParse() {
	file, err := topfile.Parse([]byte("prod:\n  db1,db2:\n    - match: list\n    - db\n  'G@roles:web or web1': [web]\n"))
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range file.Names() {
		section, _ := file.Section(name)
		for _, target := range section.Targets {
			fmt.Printf("%s: %s (%s), %d SLS, expects %v\n", name, target.Expression, target.Match, len(target.SLS), target.Expected())
		}
	}
	// Output:
	// prod: db1,db2 (list), 1 SLS, expects [db1 db2]
	// prod: G@roles:web or web1 (compound), 1 SLS, expects [web1]
}
