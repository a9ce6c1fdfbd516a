package main

import (
	"context"
	"fmt"

	"taxiway.example/pkg/graph"
)

// ending is how a list came to its end.
type ending struct {
	how                         string
	pages, rows, repeated, last int // last are the rows of the last page
}

// seen puts an ending into words.
func (e ending) seen() string {
	return fmt.Sprintf("%d rows, %d of them again, on %d pages, the last of %d", e.rows, e.repeated, e.pages, e.last)
}

// list reads a list to its end, however it ends, and hands each entry out once.
func (p *probe) list(ctx context.Context, r graph.Request, each func(entry)) (ending, error) {
	var e ending
	links := map[string]bool{}
	ids := map[string]bool{}
	for link := ""; ; {
		rows, next, err := p.page(ctx, r, link)
		if err != nil {
			return e, err
		}
		fresh := 0
		for _, row := range rows {
			if !ids[row.ID] {
				ids[row.ID] = true
				fresh++
				each(row)
			}
		}
		e.pages++
		e.rows += len(rows)
		e.last = len(rows)
		e.repeated += len(rows) - fresh
		links[link] = true
		if e.how = p.endOf(e.pages, len(rows), fresh, next, links[next]); e.how != "" {
			return e, nil
		}
		link = next
	}
}

// endOf says why there is no page behind this one, or "" when there is.
func (p *probe) endOf(pages, rows, fresh int, next string, again bool) string {
	switch {
	case next == "" && rows == 0 && pages > 1:
		return "empty page"
	case next == "":
		return "no link"
	case again:
		return "repeated link"
	case rows == 0:
		return "empty page with a link"
	case fresh == 0:
		return "page without anything new"
	case pages == p.pages:
		return "no end"
	}
	return ""
}

func (p *probe) page(ctx context.Context, r graph.Request, link string) (rows []entry, next string, err error) {
	err = p.patient(ctx, func() error {
		rows, next, err = graph.ReadPage[entry](ctx, p.graph, r, link)
		return err
	})
	return rows, next, err
}
