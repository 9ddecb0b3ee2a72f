package salt

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
)

// Form is a deployment to post, possibly one that no client would send.
type Form struct {
	Project, Deployment string
	Highstate           bool
	Bundle              []byte
	// Heard is called with each line of the stream, line end included; its error ends the
	// stream; default none.
	Heard func(line string) error
}

// Post posts a form with a token for all projects, and returns the stream. If the server
// sends no stream, the error has its words.
func (m *Master) Post(ctx context.Context, f Form) ([]byte, error) {
	body, contentType, err := f.body()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "Bearer "+m.RootToken().Reveal())
	transport := &http.Transport{TLSClientConfig: m.tls()} // no proxy
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
		return nil, errors.Join(fmt.Errorf("the server answered %s: %s", resp.Status, strings.TrimSpace(string(text))), err)
	}
	var stream []byte
	for in := bufio.NewReader(resp.Body); ; {
		line, err := in.ReadBytes('\n')
		stream = append(stream, line...)
		if errors.Is(err, io.EOF) {
			return stream, nil
		}
		if err == nil && f.Heard != nil {
			err = f.Heard(string(line))
		}
		if err != nil {
			return stream, err
		}
	}
}

// body returns what to post, and its type.
func (f Form) body() (io.Reader, string, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	errs := []error{form.WriteField("project", f.Project), form.WriteField("deployment", f.Deployment)}
	if f.Highstate {
		errs = append(errs, form.WriteField("highstate", "True"))
	}
	part, err := form.CreateFormFile("bundle", "bundle.tar")
	if err == nil {
		_, err = part.Write(f.Bundle)
	}
	return &body, form.FormDataContentType(), errors.Join(append(errs, err, form.Close())...)
}
