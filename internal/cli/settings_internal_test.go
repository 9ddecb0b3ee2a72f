package cli

import (
	"fmt"
	"testing"
)

// TestListFlag: a value that is empty or blank is an error, wherever it is in a list.
func TestListFlag(t *testing.T) {
	t.Parallel()
	for flag, want := range map[string]string{
		"a":     "[a] [] []",
		"a, b":  "[a  b] [] []",
		"a, ,b": "[a b] [] [exclude]",
		"a,\t":  "[a] [] [exclude]",
		" ,a":   "[a] [] [exclude]",
		"a,,b":  "[a b] [] [exclude]",
		" , ":   "[] [exclude] []",
		",":     "[] [exclude] []",
		"":      "[] [exclude] []",
	} {
		var s Settings
		values := s.List("exclude", &flag)
		if got := fmt.Sprint(values, s.blank, s.gaps); got != want {
			t.Errorf("%q: %s, want %s", flag, got, want)
		}
	}
}
