// Package hwhash reads, checks and writes the Windows "4K" hardware hash.
package hwhash
