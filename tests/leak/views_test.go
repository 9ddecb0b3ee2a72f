package leak_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"

	"github.com/spirostack/spirodeploy/internal/module"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

// formats are the formats of report files. A new format belongs only here.
var formats = append(module.Formats(), "ndjson")

// reportFlags returns the values of --report for one file of each format in a directory.
func reportFlags(dir string) []string {
	var values []string
	for _, f := range formats {
		values = append(values, f+"="+dir+"/report."+f)
	}
	return values
}

// writeViews writes a report in every format.
func writeViews(out io.Writer, rep *report.Report) {
	for _, f := range view.Formats {
		if f.Write != nil {
			fmt.Fprintln(out, f.Write(out, rep))
			continue
		}
		f.Watch(out)(report.Update{Kind: report.Finished, Report: rep})
	}
	for _, o := range []view.TextOptions{{}, {Detail: view.Verbose, Color: true}, {Detail: view.Quiet}, {Log: view.GitHub}, {Log: view.GitLab}} {
		fmt.Fprintln(out, view.Text(out, rep, o))
	}
}

// writeErrors writes an error, and all errors in it, with every verb for errors.
func writeErrors(out io.Writer, err error) {
	if err == nil {
		return
	}
	fmt.Fprintf(out, "%s\n%v\n%+v\n%#v\n%q\n", err.Error(), err, err, err, err)
	switch e := err.(type) { //nolint:errorlint // this is about each error by itself
	case interface{ Unwrap() error }:
		writeErrors(out, e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			writeErrors(out, inner)
		}
	}
}

// writeValues writes values with every verb, as a log, and as data.
func writeValues(out io.Writer, values ...any) {
	text, lines := slog.New(slog.NewTextHandler(out, nil)), slog.New(slog.NewJSONHandler(out, nil))
	for _, v := range values {
		for _, verb := range "vTsqxXdtUcbeop" {
			for _, flags := range []string{"", "+", "#"} {
				fmt.Fprintf(out, "%"+flags+string(verb)+"\n", v)
			}
		}
		text.Info("message", "value", v)
		lines.Info("message", "value", v)
		data, err := json.Marshal(v)
		fmt.Fprintf(out, "%s %v\n", data, err)
		data, err = xml.Marshal(v)
		fmt.Fprintf(out, "%s %v\n", data, err)
	}
}

// all writes into one text.
func all(writers ...func(io.Writer)) []byte {
	var out bytes.Buffer
	for _, w := range writers {
		w(&out)
	}
	return out.Bytes()
}
