// Package oemfile reads the files in which device lists travel: comma, semicolon or tab separated, in any encoding that
// Windows tools write, with the headers of Intune, of Partner Center and of their imitators. docs/file-shapes.md is the
// table of shapes.
//
// A file is read as a stream; memory does not grow with it. What is wrong with one record costs that record and no
// other, and nothing is guessed: a record that can be read in two ways is malformed. What is wrong with the file as a
// whole is an [Error].
package oemfile
