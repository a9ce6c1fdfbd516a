package awaittest

import (
	"flag"
	"strconv"
)

// Parallel lets n tests of the program run side by side, unless -parallel says otherwise: they wait much more than they
// work. Call it in TestMain.
func Parallel(n int) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if chosen {
		return
	}
	if err := flag.Set("test.parallel", strconv.Itoa(n)); err != nil {
		panic(err)
	}
}
