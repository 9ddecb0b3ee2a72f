package topfile_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A document is a spirotop.sls, and the deployment to look for in it.
type document struct{ source, deployment string }

// scalars stand as key of a deployment, as target, as SLS and as match type.
//
//nolint:dupword // expressions
var scalars = strings.Split(strings.TrimSpace(`
on
On
ON
oN
off
Off
OFF
yes
Yes
YES
yEs
no
No
NO
nO
y
Y
n
N
true
True
TRUE
tRUE
false
False
FALSE
null
Null
NULL
nULL
~
~a
0
00
007
017
018
0o17
0x1F
0X1F
0xg
0b101
0b
0b2
0b_
0x_
0_
00_1
0_7
-017
+017
-0
+0
-0_0
1_000
1__0
_1
1_
-1
+1
--1
1:30
1:30:45
01:30
1:60
0:30
190:20:30
-1:30
1:30.5
01:30.5
1.5
1.
.5
.
-.5
+.5
-1.5
1e3
1e+3
1.0e3
1.0e+3
1.0E-3
1.5e+400
.inf
.Inf
.INF
-.inf
+.inf
.iNf
.nan
.NaN
.NAN
-.nan
inf
nan
1_0.5_0
2024-01-01
2024-1-1
2024-01-01T10:20:30
2024-01-01 10:20:30
2024-01-01 10:20:30.5 Z
2024-01-01t10:20:30+01:00
2024-13-45
=
<<
web1
web-1.example.com
L@web1,web2
G@os:Debian
G@os:Debian and web*
web1 or web2
a#b
a #b
a:b
a: b
a :b
:a
: a
?a
? a
-a
- a
-
--- a
...
*
*a
&a
&a b
!
! a
! 1
! "1"
!!str
!!str 1
!!str on
!!int 1
!!int "1"
!!int a
!!int 1_0
!!float 1
!!float a
!!float 1e3
!!bool YES
!!bool a
!!null a
!!binary aGk=
!!binary a
!!binary aGk
!!timestamp a
!!python/unicode a
!!python/name:os.system a
!!python/object/apply:os.system [ls]
!!seq [a]
!!seq a
!!map {a: b}
!!map a
!!set {a, b}
!!set [a]
!!omap [a: 1, b: 2]
!!omap {a: b}
!!pairs [a: 1, a: 2]
!foo a
!<tag:yaml.org,2002:str> 1
!<foo> 1
!e!foo a
%a
@a
`+"`a"+`
|
>
"a"
'a'
"1"
'on'
"a\nb"
"\x41"
"\u00e9"
"\/"
"\q"
"a
'a
'it''s'
"a" b
[a, b]
[a, b
[a, [b, c]]
[a: b]
[a, , b]
[a,]
[]
{}
{a: b}
{a: b, a: c}
{a}
{a, b: c}
{a:b}
{"a":b}
{a: b
{a: }
{? a : b}
{{ a }}
{% if a %}
'{{ a }}'
"{% a %}"
a{b}c
a[b]c
a,b
a, b
é
日本
a`+"\u00a0b\n\u2028\n\u0085\na\tb\n\ta\na\t"), "\n")

// shapes are whole documents. Those that have %s are made of each scalar.
var shapes = []string{
	"prod:\n  web1:\n  - %s\n", "prod:\n  %s: [web]\n", "%s:\n  web1: [web]\n", "prod: %s\n", "prod: {web1: [%s]}\n",
	"prod:\n  web1:\n  - match: %s\n", "%s", "prod:\n  web1:\n    - web\n    - %s\n  db1: [db]\n",
}

// documents are whole documents.
var documents = []string{
	"", "\n", "# nothing\n", "---\n", "---\n...\n", "...\n", "--- \n# x\n", "null\n", "[]\n", "{}\n", "0\n", "''\n", "- a\n", "text\n",
	"\ufeff", "\ufeffprod: {a: [b]}\n", "prod: {a: [\ufeffb]}\n", "\ufeff\ufeffprod: {}\n", "\ufeff\ufeffprod: {}\ntest: {}\n", "\n\ufeffprod: {}\n", "prod: {a: [\"\ufeffb\"]}\n",
	"---\nprod: {a: [b]}\n", "prod: {a: [b]}\n...\n", "prod: {a: [b]}\n---\n", "prod: {a: [b]}\n---\nx: y\n", "prod: {a: [b]}\n...\nx: y\n",
	"prod: {}\n...\n# end\n", "prod: {}\n...\n...\n", "prod: {}\n---\n[\n", "--- {prod: {}}\n", "---\n---\n", "--- x\n--- y\n",
	"%YAML 1.1\n---\nprod: {}\n", "%YAML 1.2\n---\nprod: {}\n", "%YAML 1.3\n---\nprod: {}\n", "%YAML 2.0\n---\nprod: {}\n", "%YAML 1.1\nprod: {}\n",
	"%YAML 1.1\n%YAML 1.1\n---\nprod: {}\n", "%TAG ! tag:x,2000:\n---\nprod: {}\n", "%TAG !e! tag:yaml.org,2002:\n---\nprod: {a: [!e!str 1]}\n",
	"%FOO bar\n---\nprod: {}\n", "# c\n%YAML 1.2 # d\n---\nprod: {}\n", "%YAML\n---\na: b\n", "%YAML 1.2\n", "prod: {}\n%YAML 1.2\n---\n",
	"prod:\n\tweb1: [web]\n", "prod:\n  web1:\n\t- web\n", "prod:\n  web1: \t[web]\n", "prod:\t{web1: [web]}\n", "\tprod: {}\n", "prod: {\tweb1: [web]}\n",
	"prod:\n  web1:\t\n  - web\n", "prod:\n  web1:\n  -\tweb\n", "prod:\n  web1: [\n\tweb]\n", "prod:\n  web1:\n  - a\n \t\n  - b\n",
	"prod:\r\n  web1:\r\n  - web\r\n", "prod:\r  web1:\r  - web\r", "prod:\n  web1: ['a\r\n\r\nb']\n", "prod: \"a\\\n  b\"\n",
	"prod:\n  a: [b]\nprod:\n  c: [d]\n", "prod: {a: [b], a: [c]}\n", "prod:\n  1: [b]\n  1.0: [c]\n", "prod:\n  1: [b]\n  yes: [c]\n",
	"prod:\n  on: [b]\n  yes: [c]\n", "prod:\n  1: [b]\n  '1': [c]\n", "prod:\n  .nan: [b]\n  .nan: [c]\n", "prod: {~: [a], null: [b]}\n",
	"prod:\n  0x10: [b]\n  16: [c]\n", "prod:\n  a: [b]\n  \"a\": [c]\n", "other: {a: 1, a: 2}\nprod: {}\n",
	"prod:\n  10: [a]\n  9: [b]\n  b: [c]\n", "prod:\n  b: [1]\n  a: [2]\n  '*': [3]\n  Z: [4]\n  é: [5]\n",
	"all: &all\n  '*': [app]\nprod: *all\n", "all: &all\n  '*': [app]\nprod:\n  <<: *all\n  web1: [web]\n",
	"a: &a {x: [1]}\nb: &b {y: [2]}\nprod:\n  <<: [*a, *b]\n", "a: &a {x: [1]}\nb: &b {x: [2]}\nprod:\n  <<: [*a, *b]\n",
	"a: &a {x: [1]}\nprod:\n  <<: *a\n  x: [2]\n", "a: &a {x: [1]}\nprod:\n  x: [2]\n  <<: *a\n", "a: &a {x: [1]}\nb: &b {y: [2]}\nprod:\n  <<: *a\n  <<: *b\n",
	"a: &a {x: [1]}\nprod:\n  <<: *a\n  <<: *a\n", "prod:\n  <<: {x: [1]}\n", "prod:\n  <<: [{x: [1]}, {y: [2]}]\n", "prod:\n  <<: []\n", "prod:\n  <<: {}\n",
	"prod:\n  <<: a\n", "prod:\n  <<: [a]\n", "prod:\n  <<:\n", "prod:\n  '<<': {x: [1]}\n", "prod:\n  ? <<\n  : {x: [1]}\n", "prod:\n  !!str <<: {x: [1]}\n",
	"a: &a {1: [1]}\nprod:\n  <<: *a\n  '1': [2]\n", "a: &a {'1': [1]}\nprod:\n  <<: *a\n  1: [2]\n", "a: &a\n  <<: {x: [1]}\nprod:\n  <<: *a\n",
	"a: &a\n  <<: *a\nprod: {}\n", "a: &a\n  x: *a\nprod: {}\n", "prod: &a {x: [*b]}\n", "prod: {x: [&b web], y: [*b]}\n", "prod: {x: &b [web], y: *b}\n",
	"x: &a 1\nprod: {*a : [web]}\n", "x: &a [1]\nprod: {*a : [web]}\n", "x: &a web1\nprod: {*a : [*a]}\n", "x: &a 1\ny: &a 2\nprod: {z: [*a]}\n", "*a : b\n", "&a *b\n",
	"&a : b\n", "&a x: {*a : y}\n", "prod: &p\n  web1: [web]\nx: *p\n", "? prod\n: {a: [b]}\n", "? prod\n", "? [a]\n: b\n", "? {a: b}\n: c\n", "? |\n  prod\n: {}\n",
	"prod:\n  web1: web\n", "prod:\n  web1:\n", "prod:\n", "prod: []\n", "prod: ''\n", "prod: [a]\n", "prod: 1\n", "prod: {web1: []}\n", "prod: {web1: {}}\n",
	"prod:\n- web1: [web]\n", "prod:\n  web1:\n  - web\n  db1:\n  - db\n   - x\n", "prod:\n  web1:\n  - web\n db1:\n  - db\n", "prod: {}\n x: y\n",
	"prod:\n  web1: [web]\n  bad\n", "prod:\n  web1: [web]]\n", "prod: }\n", "prod: a: b\n", "prod:\n  - a\n  b: c\n", "prod:\n  a: b\n  - c\n",
	"prod:\n  web1:\n  - |\n    text\n", "prod:\n  web1:\n  - >-\n    a\n    b\n\n    c\n", "prod: |\n\n  a\n b\n", "prod: |3\n   a\n", "prod: |0\n a\n", "prod: |+\n a\n\n",
	"prod: >\n a\n  b\n c\n", "prod: |-2\n  a\n", "prod: |x\n  a\n", "prod: 'a\n\n  b'\n", "prod: \"a\n\n  b\"\n", "prod: a\n  b\n\n  c\n", "prod: a # c\n  b\n",
	"prod: 'a' 'b'\n", "prod: [a b]\n", "prod: [a,\nb]\n", "prod: [\na\n]\n", "prod: {\na: [b]\n}\n", "{prod: {a: [b]}}\n", "{\"prod\": {\"web1\": [\"web\"]}}\n", "{\"prod\":{\"web1\":[\"web\"]}}\n",
	"prod: {a: [b], }\n", "prod: {, a: [b]}\n", "prod: [{a: b}: c]\n", "prod: {[a]: b}\n", "prod: [? a : b]\n", "prod: [a:b]\n", "prod: [a::b]\n", "prod: [:a]\n", "prod: [a?]\n", "prod: [?a]\n",
	"prod: {a?: [b]}\n", "prod: {a:: [b]}\n", "prod: [-a]\n", "prod: [-]\n", "prod: [- a]\n", "prod: [a #c\n]\n", "prod: [a#c]\n", "prod: {a: [b]}# c\n", "prod: {a: [b]} # c\n", "prod: [a]b\n",
	"prod: \"\\x4\"\n", "prod: \"\\U0001F600\"\n", "prod: \"\\uD800\"\n", "prod: \"\\ud83d\\ude00\"\n", "prod: \"\\0\"\n", "prod: \"\\e\\a\\_\\N\\L\\P\"\n", "prod: 'a\\nb'\n",
	"prod: \x01\n", "prod: \x7f\n", "prod: \x00\n", "prod: \u0080\n", "prod: \u0085x\n", "prod: \ufffe\n", "prod: \uffff\n", "prod: 😀\n", "prod: \xff\n", "\xff\xfep\x00", "p\x00r\x00", "prod: \xc3\n", "prod: \xed\xa0\x80\n",
	"{% if x %}\nprod: {}\n{% endif %}\n", "{% set x = 1 %}\nprod: {}\n", "prod:\n  '{{ grains.id }}': [web]\n", "prod:\n  {{ x }}: [web]\n", "#!py\nprod: {}\n", "prod: {a: [b]} {# c #}\n",
	"web1: [web]\n'*': [app]\nprod:\n", "*: [web]\n", "prod:\n  *: [web]\n", "prod:\n  - *\n", "prod:\n  *.example.com: [web]\n", "prod:\n  web*: [web]\n", "prod:\n  [ab]*: [web]\n", "prod:\n  web[12]: [web]\n", "prod:\n  web?: [web]\n",
	"prod:\n  ?eb1: [web]\n", "prod:\n  - match: glob\n", "prod:\n  web1:\n  - match: list\n  - web\n", "prod:\n  web1:\n  - env: sls\n  - {b: 1, a: 2}\n", "prod:\n  web1: [[a], [b]]\n",
	"prod: !!map {a: [b]}\n", "!!map\nprod: {}\n", "!!omap\n- prod: {}\n", "!!set {prod}\n", "prod: !!set {a, b}\n", "prod: !!set {1, b, ~}\n", "prod: !!omap [a: [b]]\n", "prod: !!str {a: b}\n", "prod: !!str [a]\n", "prod: !!str {=: b}\n", "prod: {=: [a]}\n",
	"prod: - a\n", "- prod: {}\n- x\n", "-\n", "- \n- a\n", "prod:\n-\n", "prod:\n  - - a\n    - b\n", "prod:\n  a: - b\n", "prod: :\n", ": prod\n", "prod :{}\n", "prod : {}\n", "prod:{}\n", "'prod':{}\n", "\"prod\": {}\n",
	"prod: !!int 0o17\n", "prod: !!int '0x_1'\n", "prod: !!float .inf\n", "prod: !!float inf\n", "prod: !!float ' 1.5 '\n", "prod: !!int ' 7 '\n", "prod: !!float 0x1p4\n", "prod: !!int ''\n", "prod: !!bool ''\n", "prod: !!null\n", "prod: !!str\n", "prod: !!binary\n",
	"prod: !!python/tuple [a]\n", "prod: !!python/object:os.system {}\n", "prod: !<!foo> a\n", "prod: !%21 a\n", "prod: ! [a]\n", "prod: ! {a: [b]}\n", "prod: ! 'on'\n", "prod: ! ''\n", "prod: {a: [! \"\"]}\n", "prod: !\n", "prod: ! |\n", "prod: !!\n", "prod: !,\n", "prod: [!!str,a]\n", "prod: [!!str , a]\n",
}

// numbers have more digits than Python reads, or just as many.
func numbers() []string {
	return []string{
		"prod: " + strings.Repeat("9", 4300) + "\n", "prod: " + strings.Repeat("9", 4301) + "\n", "prod: 0x" + strings.Repeat("f", 4000) + "\n",
		"prod: -" + strings.Repeat("9", 500) + "\n", "prod: " + strings.Repeat("x", 3000) + ": y\n", strings.Repeat("x", 1100) + ": y\n",
		"prod: {a: [" + strings.Repeat("word ", 60) + "]}\n", "? " + strings.Repeat("x", 1100) + "\n: y\n", "prod: " + strings.Repeat("[", 60) + strings.Repeat("]", 60) + "\n",
	}
}

// corpus returns every document once.
func corpus() []document {
	var all []document
	seen := map[string]bool{}
	add := func(source, deployment string) {
		if !seen[source] {
			seen[source] = true
			all = append(all, document{source, deployment})
		}
	}
	for _, shape := range shapes {
		for _, scalar := range scalars {
			deployment := "prod"
			if strings.HasPrefix(shape, "%s:") {
				deployment = strings.Trim(scalar, `"'`)
			}
			add(strings.Replace(shape, "%s", scalar, 1), deployment)
		}
	}
	for _, source := range append(documents, numbers()...) {
		add(source, "prod")
	}
	return all
}

// mutated returns n documents that differ a little from those of the corpus.
func mutated(n int, seed uint64) []document {
	base := corpus()
	random := rand.New(rand.NewPCG(seed, 1))
	pieces := []string{
		" ", "\n", "\t", ":", "-", "#", "'", "\"", "[", "]", "{", "}", ",", "&a", "*a", "!", "!!str ", "|", ">", "?", "%", "@", "<<: ", "  ", "\n  ", "\n- ",
		"---\n", "...\n", "é", "1", "on", "~", "\\", "\r", "=", ": ", "prod", "\ufeff", "\u2028", "\u0085",
	}
	all := make([]document, 0, n)
	for len(all) < n {
		d := base[random.IntN(len(base))]
		if len(d.source) > 300 {
			continue
		}
		text := []rune(d.source)
		for range 1 + random.IntN(3) {
			at := random.IntN(len(text) + 1)
			switch random.IntN(4) {
			case 0:
				text = append(text[:at:at], append([]rune(pieces[random.IntN(len(pieces))]), text[at:]...)...)
			case 1:
				end := min(len(text), at+1+random.IntN(3))
				text = append(text[:at:at], text[end:]...)
			case 2:
				other := []rune(base[random.IntN(len(base))].source)
				if len(other) < 300 {
					text = append(text[:at:at], other[random.IntN(len(other)+1):]...)
				}
			default:
				end := min(len(text), at+random.IntN(8))
				text = append(text[:end:end], text[at:]...)
			}
			if len(text) > 400 {
				text = text[:400]
			}
		}
		all = append(all, document{string(text), d.deployment})
	}
	return all
}

func (d document) String() string { return fmt.Sprintf("%q (%s)", d.source, d.deployment) }
