package watch

import (
	"io"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// Upload draws on a terminal how much of r has been read; done takes the bar away.
func Upload(w io.Writer, r io.Reader, size int64) (moving io.Reader, done func()) {
	p := mpb.New(mpb.WithOutput(w), mpb.WithWidth(barWidth), mpb.WithAutoRefresh())
	bar := p.New(
		max(size, 1),
		mpb.BarStyle().Rbound("]").Lbound("[").Filler("█").Tip("█").Padding("·"),
		mpb.PrependDecorators(decor.Name("sending")),
		mpb.AppendDecorators(
			decor.CountersKibiByte("% .1f / % .1f"),
			decor.Name(" "),
			decor.AverageSpeed(decor.SizeB1024(0), "% .1f"),
		),
		mpb.BarRemoveOnComplete(),
	)
	return io.TeeReader(r, barWriter{bar}), func() {
		bar.Abort(true)
		p.Wait()
	}
}

// barWriter moves a bar by what is written. A plain ProxyReader would close the file.
type barWriter struct{ bar *mpb.Bar }

// Write counts.
func (b barWriter) Write(p []byte) (int, error) {
	b.bar.IncrBy(len(p))
	return len(p), nil
}
