package simulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// errToken is wrapped when a shared access signature is no good.
var errToken = errors.New("invalid token")

// checkSAS verifies a shared access signature and returns when it expires
// ("Service Bus access control with Shared Access Signatures"):
// sig = HMAC-SHA256(key, sr + "\n" + se), sr being the encoded audience.
//
// Tokens live on the wall clock, not on the movable one: clients make them with
// their own clock, which nobody moves.
func (s *Server) checkSAS(token, audience string) (time.Time, error) {
	parts, ok := strings.CutPrefix(token, "SharedAccessSignature ")
	if !ok {
		return time.Time{}, fmt.Errorf("%w: not a shared access signature", errToken)
	}
	fields := map[string]string{}
	for field := range strings.SplitSeq(parts, "&") {
		name, value, _ := strings.Cut(field, "=")
		fields[name] = value
	}
	signature, err := url.QueryUnescape(fields["sig"])
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: signature is not URL-encoded", errToken)
	}
	mac := hmac.New(sha256.New, []byte(s.accessKey()))
	mac.Write([]byte(fields["sr"] + "\n" + fields["se"]))
	want := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	if fields["skn"] != keyName || !hmac.Equal([]byte(want), []byte(signature)) {
		return time.Time{}, fmt.Errorf("%w: the signature does not match", errToken)
	}
	seconds, err := strconv.ParseInt(fields["se"], 10, 64)
	if err != nil || !time.Unix(seconds, 0).After(s.clock.now()) {
		return time.Time{}, fmt.Errorf("%w: expired", errToken)
	}
	if !covers(fields["sr"], audience) {
		return time.Time{}, fmt.Errorf("%w: it is for another resource", errToken)
	}
	return time.Unix(seconds, 0), nil
}

// covers says whether a token signed for the encoded resource is good for audience.
func covers(resource, audience string) bool {
	resource, err := url.QueryUnescape(resource)
	if err != nil {
		return false
	}
	have, ok1 := audiencePath(resource)
	want, ok2 := audiencePath(audience)
	return ok1 && ok2 && (have == "" || have == want || strings.HasPrefix(want, have+"/"))
}

// audiencePath is the path of an audience like sb://host/entity, in lower case.
// A bare host, as in a token for the whole namespace, has an empty path.
func audiencePath(audience string) (string, bool) {
	if audience == "" {
		return "", false
	}
	if _, rest, ok := strings.Cut(audience, "://"); ok {
		audience = rest
	}
	_, path, _ := strings.Cut(audience, "/")
	path, _, _ = strings.Cut(path, "?") // the administration client signs its whole URL
	return strings.ToLower(strings.Trim(path, "/")), true
}
