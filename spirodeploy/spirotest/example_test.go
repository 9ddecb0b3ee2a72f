package spirotest_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"log"
	"mime/multipart"
	"net/http"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
)

// A pipeline is given the URL and a token of a server that stands in for the
// real one. Afterwards the test looks at what was deployed, and at what the
// pipeline made of a failed state. In a test, New takes the place of Start.
func Example() {
	srv, err := spirotest.Start(spirotest.Options{
		Minions: []spirotest.Minion{
			{ID: "web1"},
			{ID: "web2", Delay: 10 * time.Millisecond, Result: spirotest.States(
				spirotest.State{SLS: "app", ID: "app-config", Name: "/etc/app.conf", Function: "file.managed", Result: spirotest.Failed, Comment: "No such user"},
			)},
			{ID: "db1"},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = srv.Close() }()

	if err := pipeline(srv.URL(), srv.Token(time.Minute, "shop")); err != nil {
		fmt.Println("pipeline:", err)
	}

	d, ok := srv.Deployment("shop", "prod")
	fmt.Println("deployed:", ok)
	top, err := fs.ReadFile(d.FS(), "top.sls")
	if err != nil {
		fmt.Println(err)
	}
	fmt.Print(string(top))
	// Output:
	// Deploying bundle
	// Calculating minions to highstate
	// Highstating 2 minions: web1, web2
	// Minion web1 finished
	// Minion web2 finished
	// Highstate complete
	// pipeline: a state failed
	// deployed: true
	// shop/prod:
	//   web*:
	//   - app
}

// pipeline stands for the one under test.
func pipeline(url, token string) error {
	var bundle bytes.Buffer
	files := tar.NewWriter(&bundle)
	top := "prod:\n  web*: [app]\n"
	err := files.WriteHeader(&tar.Header{Name: "spirotop.sls", Size: int64(len(top)), Mode: 0o644})
	if err != nil {
		return err
	}
	if _, err := io.WriteString(files, top); err != nil {
		return err
	}
	if err := files.Close(); err != nil {
		return err
	}

	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, field := range [][2]string{{"project", "shop"}, {"deployment", "prod"}, {"highstate", "yes"}} {
		if err := form.WriteField(field[0], field[1]); err != nil {
			return err
		}
	}
	file, err := form.CreateFormFile("bundle", "bundle.tar")
	if err != nil {
		return err
	}
	if _, err := file.Write(bundle.Bytes()); err != nil {
		return err
	}
	if err := form.Close(); err != nil {
		return err
	}

	req, err := http.NewRequest(http.MethodPost, url, &body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", form.FormDataContentType())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	stream, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(stream)) {
		if message, ok := strings.CutPrefix(line, `data: {"msg": "`); ok {
			message, _, _ = strings.Cut(message, `"`)
			fmt.Println(message)
		}
	}
	if strings.Contains(string(stream), `"retcode": 2`) {
		return fmt.Errorf("a state failed")
	}
	return nil
}
