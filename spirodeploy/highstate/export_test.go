package highstate

// WithoutSLS returns the result without the names of its SLS, which the oracle of the
// tests does not know.
func (r Result) WithoutSLS() Result {
	r.sls = nil
	return r
}
