package edge

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/plain"
	"github.com/spirostack/spirodeploy/internal/problem"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// Check asks the server whether the token is valid, and tells.
func (w World) Check(ctx context.Context, s Settings) error {
	opts, err := w.serverOptions(ctx, s)
	c, clientErr := client.New(opts)
	if err := problem.Join(s.contradictions(), err, clientErr); err != nil {
		return invalid(err)
	}
	if err := c.Check(ctx); err != nil {
		return &Error{Status: report.Classify(err).ExitStatus(), Err: err}
	}
	fmt.Fprintf(w.Stdout, "%s: the token is valid\n", c.Server())
	return nil
}

// Token tells what the token allows, without showing it.
func (w World) Token(ctx context.Context, s Settings) error {
	t, err := w.NeedToken(ctx, s)
	if err := problem.Join(s.contradictions(), err); err != nil {
		return invalid(err)
	}
	rights, err := t.Rights()
	if err != nil {
		return invalid(err)
	}
	fmt.Fprintln(w.Stdout, plain.Line(rights.String()))
	if !rights.NotAfter.IsZero() && time.Now().After(rights.NotAfter) {
		return invalid(errors.New("the token has expired"))
	}
	return nil
}

// NeedToken returns the token of the settings or the environment, for a target.
func (w World) NeedToken(ctx context.Context, s Settings) (token.Token, error) {
	t, err := w.token(ctx, s)
	if err == nil && t.IsZero() {
		err = fmt.Errorf("%w: set SPIRO_TOKEN or name a file with -tokenFile", token.ErrNone)
	}
	return t, err
}

// Diff tells how two bundles differ.
func (w World) Diff(before, after string) error {
	o, err := os.Open(before)
	if err != nil {
		return invalid(fmt.Errorf("old bundle: %w", err))
	}
	defer o.Close()
	n, err := os.Open(after)
	if err != nil {
		return invalid(fmt.Errorf("new bundle: %w", err))
	}
	defer n.Close()
	changes, err := bundle.Diff(o, n)
	if err != nil {
		return invalid(err)
	}
	for _, c := range changes {
		fmt.Fprintln(w.Stdout, c)
	}
	fmt.Fprintln(w.Stderr, plain.Count(len(changes), "difference", "differences"))
	return nil
}

// Or returns what a flag points to, or the zero value of one that is not given.
func Or[T any](flag *T) (value T) {
	if flag != nil {
		value = *flag
	}
	return value
}

// Split splits the value of a flag that cannot be repeated at its commas; "\,"
// stands for a comma that is part of a value. Empty values are left out.
func Split(s string) []string {
	var values []string
	var value strings.Builder
	flush := func() {
		if value.Len() > 0 {
			values = append(values, value.String())
		}
		value.Reset()
	}
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == ',':
			value.WriteByte(',')
			i++
		case s[i] == ',':
			flush()
		default:
			value.WriteByte(s[i])
		}
	}
	flush()
	return values
}

// CheckPosition refuses a name that is a flag in the wrong place: mage takes
// "spiro:deploy -artifact=a shop prod" for project -artifact=a, deployment
// shop, and would deploy that before it complains of the rest.
func CheckPosition(names ...string) error {
	for _, name := range names {
		if strings.HasPrefix(name, "-") {
			return invalid(fmt.Errorf("%q is a flag in the place of a name: flags go after PROJECT DEPLOYMENT", name))
		}
	}
	return nil
}
