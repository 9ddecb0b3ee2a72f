package cli

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestClashes: each word of the table is a flag that given knows.
func TestClashes(t *testing.T) {
	t.Parallel()
	given := new(Settings).given()
	for _, clash := range clashes {
		for _, flag := range slices.Concat([]string{clash.with}, strings.Fields(clash.flags)) {
			if _, ok := given[flag]; !ok {
				t.Errorf("%s: %q is no flag that given knows", clash.with, flag)
			}
		}
	}
}

// TestLocalFlags: beside --output and --diff, each flag has an effect, may be there since a job
// gives it to all of its calls, or is refused.
func TestLocalFlags(t *testing.T) {
	t.Parallel()
	const both = "dir artifact include-source exclude git-describe timeout color quiet connect-timeout registry-cert registry-plain registry-source " +
		"server token token-file no-narrow-token ssl-cert insecure max-event no-highstate verbose"
	for with, effective := range map[string]string{
		"output": both + " bundle digest missing-minions strict diff", // --bundle and --diff refuse --output
		"diff":   both + " bundle",
	} {
		refused := ""
		for _, clash := range clashes {
			if clash.with == with {
				refused = clash.flags
			}
		}
		for _, flag := range append(flagNames(), "no-highstate", "no-narrow-token") {
			has, isRefused := slices.Contains(strings.Fields(effective), flag), slices.Contains(strings.Fields(refused), flag)
			if has == isRefused && flag != with {
				t.Errorf("--%s beside --%s: refused is %t, and should not be is %t", flag, with, isRefused, has)
			}
		}
	}
}

// flagNames returns the names of the flags that are fields of Settings. Those that stand for a
// default, such as --highstate, are left out.
func flagNames() (names []string) {
	for field := range reflect.TypeFor[Settings]().Fields() {
		_, negatable := field.Tag.Lookup("negatable")
		if _, isFlag := field.Tag.Lookup("group"); !isFlag || negatable {
			continue
		}
		name, ok := field.Tag.Lookup("name")
		if !ok {
			name = strings.ToLower(regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(field.Name, "$1-$2"))
		}
		names = append(names, name)
	}
	return names
}

// TestContradictions: a flag without an effect is an error, which spells it as the front end
// does, and one with an effect is accepted.
func TestContradictions(t *testing.T) {
	t.Parallel()
	no, second, nothing := false, time.Second, time.Duration(0)
	for name, test := range map[string]struct {
		settings Settings
		want     string
	}{
		"server of an output":             {Settings{Output: "a.tar", Servers: []string{"https://a"}, TokenFile: "token", Insecure: true}, ""},
		"whole token of a comparison":     {Settings{Diff: "a.tar", NarrowToken: &no}, ""},
		"targets of a comparison":         {Settings{Diff: "a.tar", Targets: "list"}, "--targets has no effect with --diff, "},
		"rollout of an output":            {Settings{Output: "a.tar", Rollout: serial}, "--rollout has no effect with --output, "},
		"rollout on one server":           {Settings{Rollout: serial}, "--rollout has no effect: there is only one server"},
		"minions without a highstate":     {Settings{Mage: true, Highstate: &no, MinMinions: 1}, "-minMinions has no effect with -highstate=false, which asks no minion"},
		"connecting for a file":           {Settings{Output: "a.tar", ConnectTimeout: &second}, ""},
		"connecting to a registry":        {Settings{Output: "oci://registry.example.com/shop:1", ConnectTimeout: &second}, ""},
		"no time to connect":              {Settings{ConnectTimeout: &nothing}, "--connect-timeout must be more than 0"},
		"no time to connect, with mage":   {Settings{Mage: true, ConnectTimeout: &nothing}, "-connectTimeout must be more than 0"},
		"a negative limit":                {Settings{Timeout: -1}, "--timeout must not be negative"},
		"an output without a highstate":   {Settings{Output: "a.tar", Highstate: &no}, ""},
		"a registry's flag for no bundle": {Settings{RegistryPlain: true}, "--registry-plain has no effect: no flag names a bundle with oci://"},
	} {
		err := test.settings.Contradictions()
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}
