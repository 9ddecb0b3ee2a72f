package client_test

import (
	"context"
	"fmt"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// Submit a bundle, and read the events until the stream ends.
func ExampleClient_Upload() {
	server, err := spirotest.Start(spirotest.Options{Minions: []spirotest.Minion{{ID: "web1"}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	if err := upload(context.Background(), server.URL(), server.Token(time.Minute, "shop")); err != nil {
		fmt.Println(err)
	}
	// Output:
	// deploy-bundle: Deploying bundle
	// highstate-calc: Calculating minions to highstate
	// highstate-start: Highstating 1 minions: web1
	// highstate-update: Minion web1 finished
	// highstate-finish: Highstate complete
}

func upload(ctx context.Context, url, secret string) error {
	tok, err := token.Parse(secret)
	if err != nil {
		return err
	}
	c, err := client.New(client.Options{Server: url, Token: tok, Insecure: true}) // the test server has no certificate
	if err != nil {
		return err
	}
	b, err := bundle.New(ctx, bundle.Options{Files: map[string][]byte{"spirotop.sls": []byte("prod: {'*': [web]}\n")}})
	if err != nil {
		return err
	}
	defer b.Close()
	stream, err := c.Upload(ctx, client.Deployment{Project: "shop", Deployment: "prod", Highstate: true, Bundle: b})
	if err != nil {
		return err
	}
	defer stream.Close()
	for event, err := range stream.Events() {
		if err != nil {
			return err
		}
		fmt.Println(event.Name+":", event.Msg)
	}
	return nil
}
