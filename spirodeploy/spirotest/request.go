package spirotest

import (
	"net/http"
	"time"
)

// Request is one request as it arrived, accepted or not.
type Request struct {
	Time   time.Time // of its arrival
	Method string
	Path   string
	Header http.Header // as received, the token included

	// Status is the HTTP status of the answer. It is 0 as long as there is
	// none, and stays so for a request that broke off or was too large.
	Status int

	// Project, Deployment and Highstate are the fields of the form without
	// the white space around them. A missing field is empty.
	Project    string
	Deployment string
	Highstate  string

	// BundleSize is how many bytes of the bundle arrived.
	BundleSize int64
}

// Requests lists every request that reached the server so far, oldest first.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Request, len(s.requests))
	for i, r := range s.requests {
		list[i] = *r
		list[i].Header = r.Header.Clone()
	}
	return list
}

func (s *Server) arrived(r *http.Request) *Request {
	record := &Request{Time: time.Now(), Method: r.Method, Path: r.URL.Path, Header: r.Header.Clone()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, record)
	return record
}
