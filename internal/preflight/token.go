package preflight

import (
	"context"
	"fmt"
	"time"

	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// Question is the question to a server whether it takes a token.
type Question struct {
	client  *client.Client
	project string
	rights  token.Rights
	unread  error // why nobody but the server can read the rights
}

// NewQuestion returns the question about the token of some options, and about a project unless
// that is "". The error lists what is wrong with them, as far as that can be told without the
// server.
func NewQuestion(opts client.Options, project string) (*Question, error) {
	q := &Question{project: project}
	var err, nameErr, rightsErr error
	q.client, err = client.New(opts)
	q.rights, q.unread = opts.Token.Rights()
	if project != "" {
		nameErr = client.CheckName("project", project)
	}
	if project != "" && nameErr == nil && q.unread == nil {
		rightsErr = q.rights.Check(project, time.Now())
	}
	return q, errlist.Join(err, nameErr, rightsErr)
}

// Ask asks the server. It returns the answer in a line, and a warning if nobody but the server
// knows whether the token is for the project. The error is that of [client.Client.Check].
func (q *Question) Ask(ctx context.Context) (answer, warning string, err error) {
	if err := q.client.Check(ctx); err != nil {
		return "", "", err
	}
	answer = q.client.Server() + ": the token is valid"
	switch {
	case q.unread == nil:
		answer += ": " + q.rights.String()
	case q.project != "":
		warning = fmt.Sprintf("nobody but the server knows whether the token is for the project %s: %v", sanitize.Line(q.project), q.unread)
	}
	return answer, warning, nil
}
