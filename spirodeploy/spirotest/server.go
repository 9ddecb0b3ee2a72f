package spirotest

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// tornadoMethods are those that Tornado hands to a handler. It refuses others
// before it looks at the token.
var tornadoMethods = []string{"GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS"}

// handle answers one request. As Tornado does, it reads all of it first.
func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	record := s.arrived(r)
	w.Header().Set("Server", "TornadoServer/4.5.3")
	if r.ContentLength > s.options.MaxBody {
		panic(http.ErrAbortHandler)
	}
	f, err := s.readForm(r)
	defer f.remove()
	status := 0
	if err == nil {
		status = s.judge(r, f)
	}
	s.mu.Lock()
	record.Project, record.Deployment, record.Highstate = f.values["project"], f.values["deployment"], f.values["highstate"]
	record.BundleSize, record.Status = f.size, status
	s.mu.Unlock()
	if err != nil {
		// The client broke off or sent too much: there is nobody to answer.
		panic(http.ErrAbortHandler)
	}
	switch {
	case status != http.StatusOK:
		refuse(w, status)
	case r.Method == http.MethodGet:
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, "Auth OK")
	default:
		s.deploy(w, r, f)
	}
}

// judge finds the status of the answer. The order of the checks is that of
// SpiroFS.
func (s *Server) judge(r *http.Request, f *form) int {
	rights, valid := s.rights(bearer(r.Header.Get("Authorization")))
	project, hasProject := f.values["project"]
	deployment, hasDeployment := f.values["deployment"]
	switch {
	case !slices.Contains(tornadoMethods, r.Method):
		return http.StatusMethodNotAllowed
	case r.URL.Path != "/":
		return http.StatusNotFound
	case !valid:
		return http.StatusUnauthorized
	case r.Method == http.MethodGet:
		return http.StatusOK
	case r.Method != http.MethodPost:
		return http.StatusMethodNotAllowed
	case !hasProject || !hasDeployment:
		return http.StatusBadRequest
	case f.bundles == 0 || f.failed != nil:
		return http.StatusInternalServerError
	case !rights.Allows(project):
		return http.StatusForbidden
	case !safeName(project) || !safeName(deployment):
		return http.StatusBadRequest
	case f.bundles > 1 || !s.options.Discard && !readable(f.bundle):
		return http.StatusBadRequest
	}
	return http.StatusOK
}

// safeName tells whether a project or a deployment can be the name of a folder.
func safeName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.Contains(name, "/")
}

// bearer takes the token out of an Authorization header.
func bearer(authorization string) string {
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(strings.TrimSpace(scheme), "bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// refuse answers with an error page of Tornado.
func refuse(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.WriteHeader(status)
	title := fmt.Sprintf("%d: %s", status, http.StatusText(status))
	_, _ = fmt.Fprintf(w, "<html><title>%s</title><body>%s</body></html>", title, title)
}
