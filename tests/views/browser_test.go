package views_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/spirostack/spirodeploy/internal/dev/pace"
)

// browser is the browser of all tests.
var browser struct {
	sync.Once
	ctx  context.Context
	stop func()
	err  error
}

func TestMain(m *testing.M) {
	status := m.Run()
	if browser.stop != nil {
		browser.stop()
	}
	os.Exit(status)
}

// start starts the browser. It skips the test if there is none, but not with CI=true.
func start(t *testing.T) context.Context {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil && program == "" {
			program = path
		}
	}
	switch {
	case program == "" && os.Getenv("CI") == "true":
		t.Fatal("there is no chromium, and CI=true demands it")
	case program == "":
		t.Skip("there is no chromium")
	}
	browser.Do(func() {
		options := append(chromedp.DefaultExecAllocatorOptions[:len(chromedp.DefaultExecAllocatorOptions):len(chromedp.DefaultExecAllocatorOptions)],
			chromedp.ExecPath(program))
		if os.Geteuid() == 0 {
			options = append(options, chromedp.NoSandbox) // the sandbox is not for root
		}
		var stops [2]context.CancelFunc
		browser.ctx, stops[0] = chromedp.NewExecAllocator(context.Background(), options...)
		browser.ctx, stops[1] = chromedp.NewContext(browser.ctx)
		browser.stop = func() {
			_ = chromedp.Cancel(browser.ctx) // it ends with the tests
			stops[1]()
			stops[0]()
		}
		browser.err = chromedp.Do(browser.ctx)
	})
	if browser.err != nil {
		t.Fatal(browser.err)
	}
	return browser.ctx
}

// tab is a tab of the browser.
type tab struct {
	*testing.T
	ctx context.Context

	mu   sync.Mutex
	told []string // what the page said on the console, or asked of the network
}

// look says how a page is shown.
type look struct {
	width  int64  // default: 1200
	scheme string // prefers-color-scheme; default: light
	media  string // "print", say; default: screen
	dumb   bool   // without scripts
}

// open opens a page in a tab of its own.
func open(t *testing.T, url string, l look) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(start(t))
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, pace.Hang)
	t.Cleanup(cancel)
	p := &tab{T: t, ctx: ctx}
	if err := chromedp.Listen(ctx, func(event any) { p.hear(event, url) }); err != nil {
		t.Fatal(err)
	}
	if l.width == 0 {
		l.width = 1200
	}
	if l.scheme == "" {
		l.scheme = "light"
	}
	_, mediaErr := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Media: l.media, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}},
	})
	_, scriptErr := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: l.dumb})
	for _, err := range []error{mediaErr, scriptErr} {
		if err != nil {
			t.Fatal(err)
		}
	}
	p.do(chromedp.EmulateViewport(l.width, 900), chromedp.Navigate(url))
	return p
}

func (p *tab) hear(event any, url string) {
	line := ""
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if e.Request.URL != strings.ReplaceAll(url, " ", "%20") {
			line = "request: " + e.Request.URL
		}
	case *runtime.EventConsoleAPICalled:
		line = "console: " + fmt.Sprint(e.Type)
	case *runtime.EventExceptionThrown:
		line = "exception: " + e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			line += " " + e.ExceptionDetails.Exception.Description
		}
	case *log.EventEntryAdded:
		line = "log: " + e.Entry.Text
	}
	if line != "" {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.told = append(p.told, line)
	}
}

// heard returns everything that the page has said so far.
func (p *tab) heard() string {
	p.Helper()
	p.do(chromedp.Sleep(200 * time.Millisecond)) // the last words may still be on their way
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.told, "\n")
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.Fatal(err)
	}
}

// eval returns the value of an expression in the page.
func eval[T any](p *tab, expression string) T {
	p.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.Fatalf("%s: %v", expression, err)
	}
	return v
}

// run runs a statement in the page.
func (p *tab) run(statement string) {
	p.Helper()
	eval[bool](p, "(() => { "+statement+"; return true })()")
}

// until waits for a condition in the page.
func (p *tab) until(condition string) {
	p.Helper()
	for range pace.Hang / (50 * time.Millisecond) {
		if eval[bool](p, "!!("+condition+")") {
			return
		}
		p.do(chromedp.Sleep(50 * time.Millisecond))
	}
	p.Fatalf("%s does not come true", condition)
}

// picture writes a picture of the whole page if VIEWS names a directory.
func (p *tab) picture(name string) {
	p.Helper()
	dir := os.Getenv("VIEWS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644)
	}
	if err != nil {
		p.Fatal(err)
	}
}
