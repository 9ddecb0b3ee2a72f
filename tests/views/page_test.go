package views_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestHears: the test hears a page that is not silent, so that it counts if the others
// are.
func TestHears(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "loud.html")
	const loud = `<script>console.error("a"); fetch("data:,x"); setTimeout(() => nothing())</script><img src="missing.png">`
	if err := os.WriteFile(file, []byte(loud), 0o644); err != nil {
		t.Fatal(err)
	}
	heard := open(t, "file://"+file, look{}).heard()
	for _, want := range []string{"console: error", "request: data:,x", "missing.png", "exception: Uncaught ReferenceError"} {
		if !strings.Contains(heard, want) {
			t.Errorf("heard %q, and no %q", heard, want)
		}
	}
}

const (
	// outOfSight lists the first elements that are beside the window, or that hide
	// something on their right. The link to the report is there for keyboards, and a wide
	// timeline shortens names.
	outOfSight = `[...document.body.querySelectorAll("*")].filter(e => {
		const box = e.getBoundingClientRect();
		if (!box.width || !e.checkVisibility() || e.ownerSVGElement || e.matches(".skip") || innerWidth > 400 && e.closest(".row > span")) return false;
		const hides = getComputedStyle(e).overflowX !== "visible" && e.scrollWidth > e.clientWidth + 1;
		return hides && !e.matches("input, select") || box.left < -1 || box.right > innerWidth + 1;
	}).slice(0, 5).map(e => e.outerHTML.slice(0, 120))`
	// broken lists short facts, such as URLs and dates, and names that are not in one line.
	broken = `[...document.querySelectorAll(".facts bdi, .short bdi")].filter(e => e.textContent.length <= 36 && e.getClientRects().length > 1).map(e => e.textContent)`
)

// TestInBar: the bar has a part for each minion without states.
func TestInBar(t *testing.T) {
	t.Parallel()
	p := open(t, pageOf(t, "failed"), look{})
	counts := eval[string](p, `document.querySelector(".counts").innerText`)
	for _, want := range []string{"1 did not compile", "1 did not answer", "1 did not report"} {
		if !strings.Contains(strings.Join(strings.Fields(counts), " "), want) {
			t.Errorf("there is no %q in %q", want, counts)
		}
	}
	if parts := eval[[]string](p, `[...document.querySelectorAll(".shares rect")].map(r => r.className.baseVal + " " + Math.round(r.getAttribute("width")))`); strings.Join(parts[:3], ", ") != "failed 167, failed 167, pending 167" {
		t.Errorf("the bar is %q", parts)
	}
	if end := eval[float64](p, `(r => +r.getAttribute("x") + +r.getAttribute("width"))([...document.querySelectorAll(".shares rect")].pop())`); math.Abs(end-1000) > 1 {
		t.Errorf("the bar ends at %f of 1000", end)
	}
}

// TestQuiet: in any look, every page fits into the window, and opens without a word on
// the console and without a request.
func TestQuiet(t *testing.T) {
	t.Parallel()
	for name := range scenes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pageOf(t, name)
			for of, l := range map[string]look{
				"light": {width: 1400}, "dark": {scheme: "dark"}, "tablet": {width: 768}, "phone": {width: 400}, "dark-phone": {width: 400, scheme: "dark"}, "print": {media: "print", width: 800}, "dark-print": {media: "print", scheme: "dark", width: 800},
			} {
				p := open(t, url, l)
				if heard := p.heard(); heard != "" {
					t.Errorf("%s: %s", of, heard)
				}
				if over := eval[int](p, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
					t.Errorf("%s: it is %d pixels wider than the window", of, over)
				}
				if out := eval[[]string](p, outOfSight); len(out) > 0 {
					t.Errorf("%s: out of sight: %s", of, strings.Join(out, "\n"))
				}
				if broken := eval[[]string](p, broken); len(broken) > 0 {
					t.Errorf("%s: in several lines: %s", of, strings.Join(broken, "\n"))
				}
				p.picture(name + "-" + of)
			}
		})
	}
}

// TestOpens measures how long a page of 20,000 states takes.
func TestOpens(t *testing.T) {
	t.Parallel()
	url := pageOf(t, "large")
	info, err := os.Stat(strings.TrimPrefix(url, "file://"))
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	p := open(t, url, look{})
	t.Logf("%.1f MiB, open after %s (with a new tab), %.0f ms by its own clock", float64(info.Size())/(1<<20), time.Since(begun).Round(time.Millisecond),
		eval[float64](p, `performance.getEntriesByType("navigation")[0].loadEventEnd`))
	if info.Size() > 10<<20 {
		t.Errorf("it has %d bytes", info.Size())
	}
	if found := eval[string](p, `document.querySelector(".found").textContent`); found != "20,000 of 20,000 states" {
		t.Errorf("it has %s", found)
	}
	if rows := eval[int](p, `document.querySelectorAll(".row svg").length`); rows != 200 {
		t.Errorf("the timeline has %d rows", rows)
	}
}

// TestList: search, filters and expanding work.
func TestList(t *testing.T) {
	t.Parallel()
	p := open(t, pageOf(t, "failed"), look{})
	found := func(want string) {
		t.Helper()
		p.until(`document.querySelector(".found").textContent.startsWith("` + want + ` of 145 states")`)
	}
	found("145")
	p.do(chromedp.SendKeys(chromedp.CSS(`input[type=search]`), "NGINX 1.22"))
	found("3")
	p.do(chromedp.Click(chromedp.CSS(`input[value=changed]`)))
	found("0")
	p.do(chromedp.Click(chromedp.CSS(`input[value=changed]`)))
	p.until(`document.querySelectorAll(".states > li").length === 3`)
	p.do(chromedp.Click(chromedp.CSS(`.states > li summary`)))
	p.until(`document.querySelector(".states > li .body")?.innerText.includes('nginx: "" → 1.22.1-9')`)
	p.run(`document.querySelector("input[type=search]").value = ""`)
	p.do(chromedp.SendKeys(chromedp.CSS(`input[type=search]`), "updated"))
	found("2")
	p.do(chromedp.Click(chromedp.CSS(`.states > li summary`)))
	p.until(`[...document.querySelectorAll(".states .diff .added")].some(e => e.textContent === "+port = 8081\n")`)
	// A minion of the table shows its states.
	p.run(`[...document.querySelectorAll(".minions th button")].find(b => b.textContent === "db1.example.com").click()`)
	found("25")
	if heard := p.heard(); heard != "" {
		t.Error(heard)
	}
}

// TestTimeline: the timeline shows states to keys and pointer, and leads to them.
func TestTimeline(t *testing.T) {
	t.Parallel()
	p := open(t, pageOf(t, "failed"), look{})
	if rows := eval[int](p, `document.querySelectorAll(".row svg").length`); rows != 3 {
		t.Errorf("%d rows, want those of the minions that ran states", rows)
	}
	p.run(`document.querySelector(".chart").scrollIntoView({block: "center"})`)
	p.do(chromedp.Focus(chromedp.CSS(`.row svg`)), chromedp.KeyEvent("\u0303")) // the arrow to the right
	p.until(`!document.querySelector(".tip").hidden`)
	if tip := eval[string](p, `document.querySelector(".tip").textContent`); !strings.Contains(tip, "on web1.example.com") {
		t.Errorf("the tip is %q", tip)
	}
	p.do(chromedp.KeyEvent("\r"))
	p.until(`document.activeElement.closest(".states") && document.activeElement.parentNode.open`)
	if heard := p.heard(); heard != "" {
		t.Error(heard)
	}
}

// TestHostile: text stays text, in the page and in the elements that scripts make.
func TestHostile(t *testing.T) {
	t.Parallel()
	p := open(t, pageOf(t, "hostile"), look{})
	p.run(`document.querySelectorAll("details").forEach(d => d.open = true)`)
	p.until(`[...document.querySelectorAll(".states details")].every(d => d.querySelector(".body"))`)
	if title := eval[string](p, `document.title`); title == "evil" || !strings.Contains(title, hostile[2]) {
		t.Errorf("the title is %q", title)
	}
	if n := eval[int](p, `document.querySelectorAll("img, iframe, base, form, [onerror], [onfocus], [href^='javascript'], script[src]").length`); n != 0 {
		t.Errorf("there are %d elements that are not the page's own", n)
	}
	if n := eval[int](p, `document.scripts.length`); n != 2 {
		t.Errorf("there are %d scripts, want the data and ours", n)
	}
	shown := eval[string](p, `document.body.innerText`)
	for _, want := range []string{hostile[0], hostile[2], hostile[3], hostile[5], hostile[6], `\x1b[2J\u202egnp.exe\u2028\u2029\ufeff`} {
		if n := strings.Count(shown, want); n < 5 {
			t.Errorf("%q is there %d times", want, n)
		}
	}
	if heard := p.heard(); heard != "" {
		t.Error(heard)
	}
}

// TestDumb: without scripts the page shows the verdict, the minions and the failures.
func TestDumb(t *testing.T) {
	t.Parallel()
	p := open(t, pageOf(t, "failed"), look{dumb: true})
	p.picture("failed-dumb")
	// Scripts of the page do not run, but those of the test do.
	shown := eval[string](p, `document.body.innerText`)
	for _, want := range []string{"The outcome is not known", "of 6 minions", "old7.example.com", "did not report", "cannot bind 0.0.0.0:8080", "Jinja variable", "The list of all states needs JavaScript"} {
		if !strings.Contains(shown, want) {
			t.Errorf("there is no %q in\n%s", want, shown)
		}
	}
	if n := eval[int](p, `document.querySelectorAll(".states li").length`); n != 0 {
		t.Errorf("scripts made %d rows", n)
	}
}

// TestAlike: minions that failed alike appear once, with their names, and the list of
// states shows causes, too.
func TestAlike(t *testing.T) {
	t.Parallel()
	p := open(t, pageOf(t, "alike"), look{})
	shown := eval[string](p, `document.querySelector(".failures").innerText`)
	for _, want := range []string{
		"web3.example.com, web5.example.com, web6.example.com and 22 more (25 minions)", "web2.example.com, web22.example.com (2 minions)",
		"Because: web.nginx.app-service-40 (service.running): Job for app.service failed", "All failed alike",
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("there is no %q in\n%s", want, shown)
		}
	}
	p.do(chromedp.Click(chromedp.CSS(`.names summary`)))
	p.until(`document.querySelector(".names ul").innerText.includes("web39.example.com")`)
	p.do(chromedp.SendKeys(chromedp.CSS(`input[type=search]`), "requisite"))
	p.until(`document.querySelector(".found").textContent.startsWith("50 of")`)
	p.until(`(d => { d.open = true; return d.querySelector(".because")?.innerText.includes("Job for app.service failed") })(document.querySelector(".states details"))`)
	if heard := p.heard(); heard != "" {
		t.Error(heard)
	}
}

// TestLooks: the dark look is dark, and paper has the failures and no controls.
func TestLooks(t *testing.T) {
	t.Parallel()
	url := pageOf(t, "failed")
	const background = `getComputedStyle(document.body).backgroundColor`
	light, dark := eval[string](open(t, url, look{}), background), eval[string](open(t, url, look{scheme: "dark"}), background)
	if light == dark {
		t.Errorf("dark is %s, as light is", dark)
	}
	p := open(t, url, look{media: "print", width: 800})
	if !eval[bool](p, `[".filters", ".contents", ".list"].every(s => getComputedStyle(document.querySelector(s)).display === "none")`) {
		t.Error("controls are printed")
	}
	p.run(`document.querySelectorAll(".failures details").forEach(d => d.open = false)`)
	if !eval[bool](p, `document.querySelector(".failures .body").getBoundingClientRect().height > 50`) {
		t.Error("the failures are not expanded")
	}
	pdf, err := chromedp.Run(p.ctx, chromedp.PrintToPDF(chromedp.PDFPrintBackground()))
	if err != nil || !strings.HasPrefix(string(pdf), "%PDF") {
		t.Fatalf("%.10q, %v", pdf, err)
	}
	if dir := os.Getenv("VIEWS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, "failed.pdf"), pdf, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
