package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// question is one line of standard input: a file, and the images that are asked for.
type question struct {
	Reader string   `json:"reader"`
	File   string   `json:"file"`
	Images []string `json:"images"`
	// How often each is read again. Libraries walk through Go's maps, which begin at another one of eight places each time: an answer by
	// chance is missed with 7/8 to the power of it.
	Readings []int `json:"readings"`
}

// answer is what a library finds for one image. Kind is login, none, error (it fails), or varies (it depends on chance).
type answer struct {
	Kind          string `json:"kind"`
	Username      string `json:"username,omitempty"`
	Secret        string `json:"secret,omitempty"`
	IdentityToken bool   `json:"identityToken,omitempty"`
	Why           string `json:"why,omitempty"`
	// As k3s hands them to containerd, beside username and secret.
	Auth  string `json:"auth,omitempty"`
	Token string `json:"token,omitempty"`
}

// lookup reads the file afresh and says what is found for each image.
type lookup func(path string, images []string) []answer

var lookups = map[string]lookup{
	"docker":    askDocker,
	"podman":    askPodman,
	"apptainer": askKeychain,
	"k3s":       askWharfie,
}

// helper is the username that the tests' credential helpers answer with: they are programs to start, and nothing of theirs is chance.
const helper = "helper"

func ask(input io.Reader, output io.Writer) error {
	folder, err := os.MkdirTemp("", "wharf-readers-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	// No library may find a login of whoever runs this.
	for _, name := range []string{"HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG"} {
		if err := os.Setenv(name, folder); err != nil {
			return err
		}
	}
	for _, name := range []string{"REGISTRY_AUTH_FILE", "DOCKER_AUTH_CONFIG"} {
		if err := os.Unsetenv(name); err != nil {
			return err
		}
	}
	lines := bufio.NewScanner(input)
	lines.Buffer(nil, 64<<20)
	encoder := json.NewEncoder(output)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			return err
		}
		find, ok := lookups[asked.Reader]
		if !ok {
			return fmt.Errorf("no such reader: %s", asked.Reader)
		}
		path := filepath.Join(folder, "config.json")
		if err := os.WriteFile(path, []byte(asked.File), 0o600); err != nil {
			return err
		}
		found := find(path, asked.Images)
		for index, image := range asked.Images {
			for range asked.Readings[index] {
				if found[index].Kind == "varies" || found[index].Username == helper {
					break
				}
				again := find(path, []string{image})[0]
				again.Why = found[index].Why
				if again != found[index] {
					found[index] = answer{Kind: "varies"}
				}
			}
		}
		if err := encoder.Encode(found); err != nil {
			return err
		}
	}
	return lines.Err()
}

// each answers every image by the same function.
func each(images []string, one func(image string) answer) []answer {
	found := make([]answer, len(images))
	for index, image := range images {
		found[index] = one(image)
	}
	return found
}

func failed(err error) answer {
	return answer{Kind: "error", Why: err.Error()}
}

// login is what a library gave; without any part of a login it is none.
func login(username, password, token string) answer {
	switch {
	case token != "":
		return answer{Kind: "login", Username: username, Secret: token, IdentityToken: true}
	case username == "" && password == "":
		return answer{Kind: "none"}
	default:
		return answer{Kind: "login", Username: username, Secret: password}
	}
}
