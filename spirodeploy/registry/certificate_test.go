package registry_test

import (
	"io"
	"log"
)

// quiet is for servers that are told of failing handshakes.
var quiet = log.New(io.Discard, "", 0)

// strangerCA signs nothing.
const strangerCA = `-----BEGIN CERTIFICATE-----
MIIBgTCCASegAwIBAgIUNL+tBhq8UsforqmT7pOX7+4m4mMwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKQSBzdHJhbmdlcjAgFw0yNjExMjgxODQzNTNaGA8yMTI2MTEw
NDE4NDM1M1owFTETMBEGA1UEAwwKQSBzdHJhbmdlcjBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABEEkcMON8qJGZFEFnk1TN9tKbiE/YwBp1Ou+KgiOq1mSIA5bAIGe
6rj1Om0RXyEDL7XF1vadOxSPd3ymE3cCqNmjUzBRMB0GA1UdDgQWBBTIkxmOYwR4
3K8KhSzloGVAi3/sPzAfBgNVHSMEGDAWgBTIkxmOYwR43K8KhSzloGVAi3/sPzAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQDRa73hbDQL2V1mvQU4
WmkdMi/yhW3SbgF6fjv551DyvwIgdj+lD5B8zt85g4cA7xknt6inZhAPFv4QACTI
aSxvevY=
-----END CERTIFICATE-----`
