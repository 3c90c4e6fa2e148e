package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	v1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/credentialprovider"
	"k8s.io/kubernetes/pkg/credentialprovider/plugin"
	"k8s.io/kubernetes/pkg/credentialprovider/secrets"
	"k8s.io/kubernetes/pkg/util/parsers"
)

// keyringCase is one line of standard input: what a pod and its node have, and the images that are asked for.
type keyringCase struct {
	// The pod's pull secrets, whole objects, in the pod's order.
	Secrets []v1.Secret `json:"secrets"`
	// The kubelet's --root-dir: where it looks for config.json first.
	Root   string   `json:"root"`
	Images []string `json:"images"`
}

// keyringAnswer is one line of standard output: for each image what would be tried, in order; or why every pull fails.
type keyringAnswer struct {
	Tries [][]keyringTry `json:"tries"`
	Fails string         `json:"fails,omitempty"`
}

type keyringTry struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// runKeyring asks the kubelet's own code, case after case, as the kubelet's image manager does before a pull. The plugins are those of one
// configuration for the whole process, as they are in the kubelet.
func runKeyring(args []string) int {
	flags := flag.NewFlagSet("keyring", flag.ExitOnError)
	config := flags.String("image-credential-provider-config", "", "as of the kubelet")
	folder := flags.String("image-credential-provider-bin-dir", "", "as of the kubelet")
	_ = flags.Parse(args)
	if *config != "" {
		if err := plugin.RegisterCredentialProviderPlugins(*config, *folder, nil, nil); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 64<<20)
	output := json.NewEncoder(os.Stdout)
	for input.Scan() {
		var asked keyringCase
		if err := json.Unmarshal(input.Bytes(), &asked); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if err := output.Encode(answer(asked)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return 0
}

func answer(asked keyringCase) keyringAnswer {
	credentialprovider.SetPreferredDockercfgPath(asked.Root)
	// A new one for each case: it keeps what it read for five minutes.
	node := credentialprovider.NewDefaultDockerKeyring()
	plugins := plugin.NewExternalCredentialProviderDockerKeyring("default", "pod", "uid", "default")
	keyring, err := secrets.MakeDockerKeyring(asked.Secrets, credentialprovider.UnionDockerKeyring{node, plugins})
	if err != nil {
		return keyringAnswer{Fails: err.Error()}
	}
	answered := keyringAnswer{}
	for _, image := range asked.Images {
		tries := []keyringTry{}
		repository, _, _, err := parsers.ParseImageName(image)
		if err != nil {
			return keyringAnswer{Fails: err.Error()}
		}
		found, _ := keyring.Lookup(repository)
		for _, config := range found {
			tries = append(tries, keyringTry{Username: config.Username, Password: config.Password})
		}
		answered.Tries = append(answered.Tries, tries)
	}
	return answered
}
