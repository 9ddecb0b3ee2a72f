package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/atomicfile"
	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/preflight"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// Check asks the server whether the token is valid, and prints what the token allows.
func (w World) Check(ctx context.Context, s Settings) error { return w.Discreetly(ctx, s, World.check) }

func (w World) check(ctx context.Context, s Settings) error {
	defer w.warn()
	opts, err := w.serverOptions(ctx, s)
	question, questionErr := preflight.NewQuestion(opts, s.Project)
	var many error
	if len(s.Servers) > 1 {
		many = fmt.Errorf("%s is given more than once: check asks one server at a time", s.Flag("server"))
	}
	if err := errlist.Join(s.Contradictions(), many, err, questionErr); err != nil {
		return err
	}
	answer, warning, err := question.Ask(ctx)
	if err != nil {
		return &Error{Status: report.Classify(err).ExitStatus(), Err: withoutOutcome(err)}
	}
	fmt.Fprintln(w.Stdout, answer)
	if warning != "" {
		w.warnings.add(warning)
	}
	return w.printed()
}

// withoutOutcome returns an error without its words about a deployment: a question deploys nothing.
func withoutOutcome(err error) error {
	if e, ok := errors.AsType[fault.Explainer](err); ok {
		return &asked{e}
	}
	return err
}

// asked is an error of a question.
type asked struct{ err fault.Explainer }

func (a *asked) Error() string { return a.Explain().String() }

func (a *asked) Explain() fault.Parts {
	parts := a.err.Explain()
	parts.Outcome = ""
	return parts
}

// Unwrap returns the cause. The error itself would tell its outcome.
func (a *asked) Unwrap() error { return errors.Unwrap(a.err) }

// warn tells what was found beside.
func (w World) warn() {
	for _, text := range w.warnings.texts {
		fmt.Fprintln(w.Stderr, "warning: "+text)
	}
}

// Token prints what the token allows, without showing it, or makes a narrower one.
func (w World) Token(ctx context.Context, s Settings) error {
	return w.Discreetly(ctx, s, World.rights)
}

func (w World) rights(ctx context.Context, s Settings) error {
	defer w.warn()
	t, err := w.NeedToken(ctx, s)
	narrower := len(s.Projects) > 0 || s.Lifetime != nil
	switch {
	case narrower && s.Output == "":
		err = errlist.Join(err, &fault.Error{Err: errors.New("a narrower token needs a place to go"), Help: "{output}=FILE writes a file that only you can read, {output}=- standard output"})
	case !narrower && s.Output != "":
		err = errlist.Join(err, fmt.Errorf("%s is for a narrower token: say which with %s or %s", s.Flag("output"), s.Flag("project"), s.Flag("lifetime")))
	}
	if err := errlist.Join(append(s.empty(), err)...); err != nil {
		return err
	}
	if narrower {
		return w.narrow(ctx, t, s)
	}
	rights, err := t.Rights()
	if err != nil {
		return err
	}
	fmt.Fprintln(w.Stdout, rights.String())
	return errlist.Join(w.printed(), rights.Expired(time.Now()))
}

// narrow writes a token that allows less.
func (w World) narrow(ctx context.Context, t token.Token, s Settings) error {
	rights, err := t.Rights()
	if err != nil {
		return fmt.Errorf("it cannot be narrowed: %w", err)
	}
	now := time.Now()
	var errs []error
	for _, project := range s.Projects {
		errs = append(errs, client.CheckName("project", project), rights.Check(project, now))
	}
	if len(s.Projects) == 0 { // else that check has done it
		errs = append(errs, rights.Expired(now.Add(-token.ClockSlack)))
	}
	if s.Lifetime != nil && *s.Lifetime <= 0 {
		errs = append(errs, fmt.Errorf("%s must be more than 0", s.Flag("lifetime")))
	}
	errs = append(errs, s.checkOutput(bundle.Options{Dir: cmp.Or(s.Dir, ".")}, s.inputs()))
	if err := errlist.Join(errs...); err != nil {
		return err
	}
	var end time.Time
	if s.Lifetime != nil {
		// The server's clock decides: the token lasts that long there, too.
		end = now.Add(*s.Lifetime + token.ClockSlack)
		if last := rights.NotAfter; !last.IsZero() && now.Add(*s.Lifetime).After(last) {
			w.warnings.add(fmt.Sprintf("%s %s: the given token has only %s left, and a token made of it lasts no longer", s.Flag("lifetime"), *s.Lifetime, human.Elapsed(max(0, last.Sub(now)))))
		}
	}
	narrow, err := t.Narrow(end, s.Projects...)
	if err == nil {
		rights, err = narrow.Rights()
	}
	if err == nil {
		err = atomicfile.WriteSecret(ctx, s.Output, w.bytes, func(out io.Writer) error {
			_, err := fmt.Fprintln(out, narrow.Reveal())
			return err
		})
	}
	if err != nil {
		return err
	}
	where := s.Output
	if where == atomicfile.Stdout {
		where = "standard output"
	}
	fmt.Fprintf(w.Stderr, "%s: a token %s\n", where, rights.String())
	return nil
}

func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// NeedToken returns the token of the settings or the environment, for a target.
func (w World) NeedToken(ctx context.Context, s Settings) (token.Token, error) {
	t, err := w.token(ctx, s)
	if err == nil && t.IsZero() {
		err = &fault.Error{Err: token.ErrNone, Help: "set {token} (on the master, salt-run spiro.issue_token makes one)"}
	}
	return t, err
}

// Or returns the value of a flag, or the zero value if the flag is not given.
func Or[T any](flag *T) (value T) {
	if flag != nil {
		value = *flag
	}
	return value
}

// Split splits the value of a flag that cannot be repeated at its commas; "\,"
// stands for a comma that is part of a value. Empty values are left out.
func Split(s string) []string {
	values := betweenCommas.FindAllString(s, -1)
	for i, value := range values {
		values[i] = strings.ReplaceAll(value, `\,`, ",")
	}
	return values
}

// hasGap reports whether Split leaves a value out.
func hasGap(s string) bool {
	rest := betweenCommas.ReplaceAllString(s, "x")
	return strings.HasPrefix(rest, ",") || strings.Contains(rest, ",,") || strings.HasSuffix(rest, ",")
}

var betweenCommas = regexp.MustCompile(`(\\,|[^,])+`)

// CheckPosition refuses a name that is a flag in the wrong place: mage takes
// "spiro:deploy -artifact=a shop prod" for project -artifact=a, deployment
// shop, and would deploy that before it complains of the rest.
func CheckPosition(names ...string) error {
	for _, name := range names {
		if strings.HasPrefix(name, "-") {
			// The value is left out: it may be a token.
			name, _, _ = strings.Cut(name, "=")
			return withStatus(fmt.Errorf("%q is a flag in the place of a name: flags go after PROJECT DEPLOYMENT", Process().Redact(name)))
		}
	}
	return nil
}

// CheckGiven refuses an empty name: most often a variable is not set, and another bundle
// would take its place.
func CheckGiven(what, name string) error {
	if strings.TrimSpace(name) == "" {
		return withStatus(&fault.Error{Err: fmt.Errorf("%s is empty", what), Help: "is a variable not set?"})
	}
	return nil
}
