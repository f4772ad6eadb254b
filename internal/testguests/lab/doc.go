// Package lab runs experiments with the simterpose command for the tests of
// guests and examples: it builds the command once, runs it, reads what it leaves
// behind, and compares two runs byte for byte.
package lab
