// Package human formats numbers for people.
package human

import (
	"fmt"
	"strconv"
	"time"
)

// Count returns a number with its noun: "1 entry", "2 entries".
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Thousands returns a number with commas: "100,000".
func Thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Elapsed returns a duration in whole seconds: "7 s", "2 min 5 s", "1 h 3 min".
func Elapsed(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	}
	return fmt.Sprintf("%d h %d min", s/3600, s/60%60)
}

// Ago says how long ago something was: "2 min 5 s ago", "3 days ago".
func Ago(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= 2*day {
		return Thousands(int(d/day)) + " days ago"
	}
	return Elapsed(d) + " ago"
}

// Size returns a number of bytes in binary units: "1.5 MiB".
func Size(n int64) string {
	const units = "KMGTPE"
	if n < 1<<10 {
		return Count(int(n), "byte", "bytes")
	}
	f, i := float64(n)/(1<<10), 0
	for f >= 1023.95 { // it would print as 1024.0
		f, i = f/(1<<10), i+1
	}
	return fmt.Sprintf("%.1f %ciB", f, units[i])
}

// Plural returns a number with a noun whose plural ends in s: "1 minion", "2 minions".
func Plural(n int, noun string) string { return Count(n, noun, noun+"s") }
