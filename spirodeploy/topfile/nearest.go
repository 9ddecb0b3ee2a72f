package topfile

import "strings"

// nearest returns the name that a person most likely meant, or "".
func nearest(meant string, names []string) string {
	if len(meant) > 100 {
		return ""
	}
	best, least := "", max(1, min(3, (len([]rune(meant))+1)/3))+1
	for _, name := range names {
		d := least
		if len(name) <= 100 {
			d = distance([]rune(strings.ToLower(meant)), []rune(strings.ToLower(name)))
		}
		switch {
		case d < least:
			best, least = name, d
		case best == "" && len(meant) > 2 && len(name) > 2 && (strings.HasPrefix(name, meant) || strings.HasPrefix(meant, name)):
			best = name
		}
	}
	return best
}

// distance counts the insertions, deletions, replacements and swaps of neighbours
// that make b of a.
func distance(a, b []rune) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
