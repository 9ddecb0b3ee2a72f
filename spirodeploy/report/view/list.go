package view

import (
	"slices"
	"strings"
)

// first returns up to so many elements of a list.
func first[T any](list []T, most int) []T { return list[:min(len(list), most)] }

// each returns what a function makes of each element of a list.
func each[T, U any](list []T, of func(T) U) []U {
	all := make([]U, 0, len(list))
	for _, one := range list {
		all = append(all, of(one))
	}
	return all
}

// split returns the elements of a list that are good, and the others.
func split[T any](list []T, isGood func(T) bool) (good, bad []T) {
	for _, one := range list {
		if isGood(one) {
			good = append(good, one)
		} else {
			bad = append(bad, one)
		}
	}
	return good, bad
}

// joined joins the texts that are not empty.
func joined(by string, texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(s string) bool { return s == "" }), by)
}

// ifAny returns a text about a number, or "" if it is 0.
func ifAny(n int, text string) string {
	if n == 0 {
		return ""
	}
	return text
}
