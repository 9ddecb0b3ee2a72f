// Package spirofs holds the command, the library and the mage targets against a
// real Salt master with SpiroFS and real minions. Package internal/dev/salt brings
// them up; without a Python that Salt runs on, the tests skip.
package spirofs
