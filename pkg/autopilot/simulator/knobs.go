package simulator

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// clipFields brings every Delay into order and every rate between 0 and 1.
func clipFields(group reflect.Value) {
	for i := range group.NumField() {
		switch v := group.Field(i).Addr().Interface().(type) {
		case *Delay:
			v.Min = max(v.Min, 0)
			v.Max = max(v.Max, v.Min)
		case *float64:
			if math.IsNaN(*v) {
				*v = 0
			}
			*v = min(max(*v, 0), 1)
		}
	}
}

// Lines lists what is in force, one "Group.Knob value" per line.
func (o Options) Lines() []string { return knobLines("", reflect.ValueOf(o)) }

func knobLines(prefix string, v reflect.Value) []string {
	var out []string
	for i := range v.NumField() {
		name := prefix + v.Type().Field(i).Name
		f := v.Field(i)
		switch x := f.Interface().(type) {
		case func() time.Time, *slog.Logger:
		case Delay:
			out = append(out, fmt.Sprintf("%s %v to %v", name, x.Min, x.Max))
		default:
			if f.Kind() == reflect.Struct {
				out = append(out, knobLines(name+".", f)...)
				continue
			}
			out = append(out, fmt.Sprintf("%s %v", name, x))
		}
	}
	return out
}

// ErrKnob says that there is no such knob, or that it does not take the value.
var ErrKnob = errors.New("simulator: invalid knob")

// Set changes one knob by the name that Lines prints, for example
// Delays.Import to "1s to 3s" or Limits.AppWrites to "60".
func (o *Options) Set(name, value string) error {
	f := reflect.ValueOf(o).Elem()
	for part := range strings.SplitSeq(name, ".") {
		if f.Kind() != reflect.Struct {
			return fmt.Errorf("%w: %s", ErrKnob, name)
		}
		if f = f.FieldByName(part); !f.IsValid() {
			return fmt.Errorf("%w: %s", ErrKnob, name)
		}
	}
	if err := setKnob(f, value); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrKnob, name, err)
	}
	return nil
}

func setKnob(f reflect.Value, value string) (err error) {
	switch v := f.Addr().Interface().(type) {
	case *Delay:
		*v, err = parseDelay(value)
	case *time.Duration:
		*v, err = time.ParseDuration(value)
	case *int:
		*v, err = strconv.Atoi(value)
	case *int64:
		*v, err = strconv.ParseInt(value, 10, 64)
	case *float64:
		*v, err = strconv.ParseFloat(value, 64)
	case *bool:
		*v, err = strconv.ParseBool(value)
	case *string:
		*v = value
	default:
		err = errors.New("cannot be set by name")
	}
	return err
}

// parseDelay reads "2s" or "1s to 3s".
func parseDelay(value string) (Delay, error) {
	lo, hi, isRange := strings.Cut(value, " to ")
	if !isRange {
		hi = lo
	}
	from, err := time.ParseDuration(strings.TrimSpace(lo))
	if err != nil {
		return Delay{}, err
	}
	to, err := time.ParseDuration(strings.TrimSpace(hi))
	return Delay{from, to}, err
}
