package hwhash

import (
	"math"
	"strings"
	"time"
)

func (t *Tool) layout(c *cursor) {
	seconds := t.CapturedAt.Unix() - epoch
	if c.writing && (t.CapturedAt.Nanosecond() != 0 || seconds < 0 || seconds > math.MaxUint32) {
		c.bad = true
	}
	time32 := uint32(seconds)
	zone := uint8(t.ZoneQuarters)
	osType := uint8(t.OSType)
	c.version(&t.Build)
	c.version(&t.OSBuild)
	c.u32(&time32)
	c.u8(&zone)
	c.u8(&osType)
	c.u8(&t.Architecture)
	c.u8(&t.ToolVersion)
	t.CapturedAt = time.Unix(epoch+int64(time32), 0).UTC()
	t.ZoneQuarters = int8(zone)
	t.OSType = OSType(osType)
}

func (p *CPU) layout(c *cursor) {
	arch := uint16(p.Architecture)
	c.u16(&arch)
	p.Architecture = Architecture(arch)
	c.u16(&p.Packages)
	c.u16(&p.Cores)
	c.u16(&p.Threads)
	c.u32(&p.HyperThreading)
}

func (k *CoreClass) layout(c *cursor) {
	c.u8(&k.Efficiency)
	c.u16(&k.Cores)
	c.u16(&k.Threads)
}

func (m *Memory) layout(c *cursor) {
	c.u64(&m.InstalledGB)
	c.u64(&m.MaximumGB)
	c.u16(&m.Slots)
	c.u16(&m.Arrays)
	c.u8(&m.ErrorCorrection)
}

func (d *Disk) layout(c *cursor) {
	c.u64(&d.CapacityGB)
	c.u16(&d.Bus)
	c.u8(&d.SeekPenalty)
	c.u8(&d.Trim)
}

// layout of a disk name is "serial|model|vendor". Whether a NUL follows depends on the record; the caller adds it.
func (d *DiskName) layout(c *cursor) {
	if c.writing {
		text := d.Serial.Reveal() + "|" + d.Model + "|" + d.Vendor
		c.bad = c.bad || strings.Contains(d.Serial.Reveal()+d.Model, "|") || !writable(text)
		c.out = append(c.out, text...)
		return
	}
	serial, rest, _ := strings.Cut(untilNUL(c.next(len(c.in))), "|")
	d.Serial = NewSecret(serial)
	d.Model, d.Vendor, _ = strings.Cut(rest, "|")
}

const macSize = 6

func (a *Adapter) layout(c *cursor) {
	c.u32(&a.Medium)
	if c.writing {
		mac := a.MAC.Reveal()
		enumerator := utf16Bytes(a.Enumerator + "\x00")
		c.bad = c.bad || len(mac) != macSize || !writable(a.Enumerator)
		c.out = append(c.out, mac...)
		c.sized(&enumerator)
		return
	}
	a.MAC = NewSecret(c.next(macSize))
	var enumerator string
	c.sized(&enumerator)
	text, whole := utf16Text(enumerator)
	a.Enumerator = text
	c.bad = c.bad || !whole
}

func (d *Display) layout(c *cursor) {
	c.u16(&d.WidthMM)
	c.u16(&d.HeightMM)
	c.u16(&d.WidthPx)
	c.u16(&d.HeightPx)
	c.u32(&d.Technology)
}

func (d *DisplaySize) layout(c *cursor) {
	c.u16(&d.WidthCM)
	c.u16(&d.HeightCM)
}

func (k *Chassis) layout(c *cursor) {
	c.u8(&k.Type)
	c.u8(&k.PowerRole)
	c.u8(&k.OpticalDrive)
	c.u8(&k.Digitizer)
	c.u8(&k.Unknown)
}

func (o *OfflineID) layout(c *cursor) {
	id := o.ID.Reveal()
	c.u32(&o.Status)
	c.u16(&o.Kind)
	c.sized(&id)
	o.ID = NewSecret(id)
}

func (g *GPU) layout(c *cursor) {
	c.u64(&g.VideoMemory)
	c.u64(&g.SystemMemory)
	c.u8(&g.RemovalPolicy)
	c.u8(&g.InLocalMachine)
}

// layout of a GPU name is UTF-16 "vendor|name" to the end of the value.
func (g *GPUName) layout(c *cursor) {
	if c.writing {
		c.bad = c.bad || strings.Contains(g.Vendor, "|") || !writable(g.Vendor+g.Name)
		c.out = append(c.out, utf16Bytes(g.Vendor+"|"+g.Name)...)
		return
	}
	text, whole := utf16Text(c.next(len(c.in)))
	g.Vendor, g.Name, _ = strings.Cut(text, "|")
	c.bad = c.bad || !whole
}
