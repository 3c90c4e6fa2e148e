// Programs' own libraries, asked which login they find in a file: what wharf's readers are held to. And a client of containerd's CRI.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/sirupsen/logrus"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: readers ask | readers pull SOCKET IMAGE")
		os.Exit(2)
	}
	// A library tells of every file that it reads.
	logrus.SetOutput(io.Discard)
	var err error
	switch os.Args[1] {
	case "ask":
		err = ask(os.Stdin, os.Stdout)
	case "pull":
		if len(os.Args) != 4 {
			err = fmt.Errorf("usage: readers pull SOCKET IMAGE")
		} else {
			err = pull(os.Args[2], os.Args[3])
		}
	default:
		err = fmt.Errorf("no such command: %s", os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
