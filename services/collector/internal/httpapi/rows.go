package httpapi

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"taxiway.example/pkg/access"
	"taxiway.example/pkg/api"
	"taxiway.example/pkg/device"
	"taxiway.example/pkg/fault"
	"taxiway.example/pkg/ledger"
)

// The sizes of pages of rows.
const (
	defaultRows = 500
	maxRows     = 5000
	pageRows    = 500 // rows read from the ledger at once
)

// rowFormats are the forms in which rows are given out; the first is the default.
var rowFormats = []string{"application/json", "application/x-ndjson", "text/csv"}

// rowRequest is what a request for rows asks for.
type rowRequest struct {
	batch  string
	format string
	failed bool // rows that somebody has to look at
	query  ledger.RowQuery
}

// getRows answers with the rows of a batch: a page of them as JSON, or all of them as a stream of NDJSON or CSV.
func (a *API) getRows(w http.ResponseWriter, r *http.Request, p access.Principal) error {
	req, err := readRowRequest(r)
	if err != nil {
		return err
	}
	// Asked for first, so that an unknown batch is a problem and not an empty file.
	if _, err := a.Reader.Batch(r.Context(), p.Tenant.ID, req.batch); err != nil {
		return err
	}
	rows := a.rows(r.Context(), p.Tenant.ID, req)
	w.Header().Set("Vary", "Accept")
	switch req.format {
	case "text/csv":
		w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", "rows-"+req.batch+".csv"))
		return writeCSV(w, rows)
	case "application/x-ndjson":
		return writeLines(w, rows)
	}
	return a.writePage(w, r, req, rows)
}

func readRowRequest(r *http.Request) (rowRequest, error) {
	q := r.URL.Query()
	req := rowRequest{batch: r.PathValue("id")}
	var err error
	if req.format, err = formatOf(r); err != nil {
		return req, err
	}
	switch outcome := device.RowOutcome(q.Get("outcome")); {
	case outcome == "failed":
		req.failed = true
	case outcome == "" || slices.Contains(device.RowOutcomes(), outcome):
		req.query.Outcome = outcome
	default:
		return req, fault.New(
			fault.RequestInvalid,
			"The parameter outcome must be accepted, updated, duplicate, conflict, rejected or failed.",
		)
	}
	if req.query.After, err = number(q, "after", 0, 0, math.MaxInt32); err != nil {
		return req, err
	}
	fallback := math.MaxInt32
	if req.format == rowFormats[0] {
		fallback = defaultRows
	}
	req.query.Limit, err = number(q, "limit", fallback, 1, maxRows)
	return req, err
}

// formatOf reads the parameter format, else the header Accept.
func formatOf(r *http.Request) (string, error) {
	if name := r.URL.Query().Get("format"); name != "" {
		i := slices.IndexFunc(rowFormats, func(f string) bool { return strings.HasSuffix(f, name) })
		if i < 0 || !slices.Contains([]string{"json", "ndjson", "csv"}, name) {
			return "", fault.New(fault.RequestInvalid, "The parameter format must be json, ndjson or csv.")
		}
		return rowFormats[i], nil
	}
	for accepted := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		name, _, _ := strings.Cut(strings.TrimSpace(accepted), ";")
		if slices.Contains(rowFormats, name) {
			return name, nil
		}
	}
	return rowFormats[0], nil
}

// rows reads up to limit rows, page by page.
func (a *API) rows(ctx context.Context, tenant device.TenantID, req rowRequest) iter.Seq2[ledger.RowStatus, error] {
	return func(yield func(ledger.RowStatus, error) bool) {
		query := req.query
		for left := req.query.Limit; left > 0; {
			query.Limit = pageRows
			page, err := a.Reader.Rows(ctx, tenant, req.batch, query)
			if err != nil {
				yield(ledger.RowStatus{}, err)
				return
			}
			for _, row := range page {
				query.After = row.Row
				if req.failed && !row.Failed() {
					continue
				}
				if !yield(row, nil) {
					return
				}
				if left--; left == 0 {
					return
				}
			}
			if len(page) < pageRows {
				return
			}
		}
	}
}

func (a *API) writePage(
	w http.ResponseWriter,
	r *http.Request,
	req rowRequest,
	rows iter.Seq2[ledger.RowStatus, error],
) error {
	page := struct {
		Rows []api.Row `json:"rows"`
		Next string    `json:"next,omitempty"`
	}{Rows: []api.Row{}}
	for row, err := range rows {
		if err != nil {
			return err
		}
		page.Rows = append(page.Rows, viewOfRow(row))
	}
	if n := len(page.Rows); n > 0 && n == req.query.Limit {
		next := r.URL.Query()
		next.Set("after", strconv.Itoa(page.Rows[n-1].Row))
		page.Next = r.URL.Path + "?" + next.Encode()
	}
	a.writeJSON(w, r, http.StatusOK, "application/json", page)
	return nil
}

func writeLines(w http.ResponseWriter, rows iter.Seq2[ledger.RowStatus, error]) error {
	w.Header().Set("Content-Type", "application/x-ndjson")
	enc := json.NewEncoder(w)
	for row, err := range rows {
		if err != nil {
			return err
		}
		if err := enc.Encode(viewOfRow(row)); err != nil {
			return err
		}
	}
	return nil
}

// csvHeader names the columns of the report. The report is for people; it is not a device list, since a refused row's
// cells are not kept.
var csvHeader = []string{
	"Row",
	"Outcome",
	"Code",
	"Column",
	"What is wrong",
	"Detail",
	"What to do",
	"Warnings",
	"Device",
	"State",
	"Device code",
	"Reason",
}

func writeCSV(w http.ResponseWriter, rows iter.Seq2[ledger.RowStatus, error]) error {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	return report(w, rows)
}

func report(w io.Writer, rows iter.Seq2[ledger.RowStatus, error]) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(csvHeader); err != nil {
		return err
	}
	for row, err := range rows {
		if err != nil {
			return err
		}
		v := viewOfRow(row)
		record := []string{
			strconv.Itoa(v.Row), string(v.Outcome), string(v.Code), v.Column, v.Title, v.Detail, v.Hint,
			strings.Join(v.Warnings, " "), v.Device, string(v.State), string(v.DeviceCode), v.Reason,
		}
		for i := range record {
			record[i] = guard(record[i])
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// guard keeps a spreadsheet from taking a text for a formula: CWE-1236.
func guard(cell string) string {
	if first, n := utf8.DecodeRuneInString(cell); n > 0 && strings.ContainsRune("=+-@\t\r\n\x00＝＋－＠", first) {
		return "'" + cell
	}
	return cell
}
