// Package spirofs tests the command, the library and the mage targets with a real Salt
// master, SpiroFS and real minions. Package internal/dev/salt starts them. The tests skip
// if there is no Python that Salt runs on.
package spirofs
