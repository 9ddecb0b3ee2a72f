// Shop is a web shop of one page. It stands here so that there is something to deploy: see README.md.
package main

import (
	"errors"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const usage = "usage: shop check|serve FILE"

const page = `<!DOCTYPE html>
<title>{{.Name}}</title>
<h1>{{.Name}}</h1>
<ul>{{range .Goods}}
<li>{{.}}</li>{{end}}
</ul>
`

// config is what site.conf says.
type config struct {
	Name  string   // what the shop is called
	Host  string   // the name under which it is reached
	Port  uint16   // where it listens
	Goods []string // what it sells
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("shop: ")
	if len(os.Args) != 3 {
		log.Fatal(usage)
	}
	command, name := os.Args[1], os.Args[2]
	cfg, err := load(name)
	if err != nil {
		log.Fatal(err)
	}
	switch command {
	case "check":
		fmt.Printf("shop: %s: good, port %d\n", name, cfg.Port)
	case "serve":
		log.Fatal(serve(cfg))
	default:
		log.Fatal(usage)
	}
}

func load(name string) (*config, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	cfg, err := parse(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return cfg, nil
}

// parse reads lines of "key = value". Empty lines and those that begin with # say nothing.
func parse(text string) (*config, error) {
	cfg := &config{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return nil, fmt.Errorf("line %q has no =", line)
		}
		value = strings.TrimSpace(value)
		switch key = strings.TrimSpace(key); key {
		case "name":
			cfg.Name = value
		case "host":
			cfg.Host = value
		case "port":
			port, err := strconv.ParseUint(value, 10, 16)
			if err != nil || port == 0 {
				return nil, fmt.Errorf("port %s is not between 1 and 65535", value)
			}
			cfg.Port = uint16(port)
		case "sell":
			cfg.Goods = append(cfg.Goods, value)
		default:
			return nil, fmt.Errorf("unknown key %q", key)
		}
	}
	if cfg.Name == "" || cfg.Host == "" || cfg.Port == 0 {
		return nil, errors.New("name, host and port are needed")
	}
	return cfg, nil
}

func serve(cfg *config) error {
	tmpl, err := template.New("page").Parse(page)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		if err := tmpl.Execute(w, cfg); err != nil {
			log.Print(err)
		}
	})
	server := &http.Server{
		Addr:              fmt.Sprintf(":%d", cfg.Port),
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
	}
	return server.ListenAndServe()
}
