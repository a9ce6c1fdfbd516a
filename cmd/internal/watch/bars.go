package watch

import (
	"fmt"
	"io"
	"sync/atomic"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"taxiway.example/pkg/api"
	"taxiway.example/pkg/device"
)

const barWidth = 64

// bars draws a bar for each stage, filled by the devices that reached it.
type bars struct {
	progress   *mpb.Progress
	bars       []*mpb.Bar
	note       atomic.Value // string, behind the last bar
	unfinished notice
}

func newBars(w io.Writer) *bars {
	v := &bars{progress: mpb.New(mpb.WithOutput(w), mpb.WithWidth(barWidth), mpb.WithAutoRefresh())}
	v.note.Store("")
	for _, s := range stages {
		decorators := []decor.Decorator{decor.CountersNoUnit("%d / %d", decor.WCSyncSpace)}
		if s == device.Ready {
			note := func(decor.Statistics) string { return v.note.Load().(string) } //nolint:forcetypeassert // strings only
			decorators = append(decorators, decor.Any(note))
		}
		bar := v.progress.New(0, mpb.BarStyle().Rbound("]").Lbound("[").Filler("█").Tip("█").Padding("·"),
			mpb.PrependDecorators(decor.Name(string(s), decor.WCSyncSpaceR)), mpb.AppendDecorators(decorators...))
		v.bars = append(v.bars, bar)
	}
	return v
}

func (v *bars) show(b api.Batch) {
	v.unfinished.write(v.progress, b) // above the bars
	note := ""
	for _, text := range []string{sideways(b), waiting(b), checks(b)} {
		if text != "" {
			note += fmt.Sprintf("  (%s)", text)
		}
	}
	v.note.Store(note)
	total := int64(working(b) - fallen(b))
	for i, bar := range v.bars {
		bar.SetTotal(max(total, 1), false)
		bar.SetCurrent(int64(reached(b, stages[i])))
	}
}

// waiting names what most of the devices on the way wait for.
func waiting(b api.Batch) string {
	for _, r := range b.Reasons {
		if r.State.InFlight() {
			return fmt.Sprintf("%d %s", r.Count, r.Code)
		}
	}
	return ""
}

// close draws the bars a last time and gives the terminal back.
func (v *bars) close() {
	for _, bar := range v.bars {
		bar.Abort(false)
	}
	v.progress.Wait()
}
