package main

import (
	"os"

	"github.com/distribution/reference"
	"github.com/docker/cli/cli/config/configfile"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/rancher/wharfie/pkg/registries"
	podman "go.podman.io/image/v5/docker/reference"
	"go.podman.io/image/v5/pkg/docker/config"
	"go.podman.io/image/v5/types"
)

// askDocker is what docker/cli does before a pull.
func askDocker(path string, images []string) []answer {
	return each(images, func(image string) answer {
		ref, err := reference.ParseNormalizedNamed(image)
		if err != nil {
			return failed(err)
		}
		file, err := os.Open(path)
		if err != nil {
			return failed(err)
		}
		defer file.Close()
		loaded := configfile.New(path)
		if err := loaded.LoadFromReader(file); err != nil {
			return failed(err)
		}
		found, err := loaded.GetAuthConfig(reference.Domain(ref))
		if err != nil {
			return failed(err)
		}
		token := found.IdentityToken
		if token == "" {
			token = found.RegistryToken
		}
		return login(found.Username, found.Password, token)
	})
}

// askPodman is what Podman, Buildah, Skopeo and CRI-O do before a pull, with this file alone.
func askPodman(path string, images []string) []answer {
	return each(images, func(image string) answer {
		ref, err := podman.ParseNormalizedNamed(image)
		if err != nil {
			return failed(err)
		}
		found, err := config.GetCredentialsForRef(&types.SystemContext{AuthFilePath: path}, ref)
		if err != nil {
			return failed(err)
		}
		return login(found.Username, found.Password, found.IdentityToken)
	})
}

// askKeychain is the keychain that Apptainer's own is made after: docker's file, a repository's key before the host's.
func askKeychain(_ string, images []string) []answer {
	return each(images, func(image string) answer {
		ref, err := name.ParseReference(image)
		if err != nil {
			return failed(err)
		}
		found, err := authn.DefaultKeychain.Resolve(ref.Context())
		if err != nil {
			return failed(err)
		}
		config, err := found.Authorization()
		if err != nil {
			return failed(err)
		}
		token := config.IdentityToken
		if token == "" {
			token = config.RegistryToken
		}
		return login(config.Username, config.Password, token)
	})
}

// askWharfie is what k3s and RKE2 decode: for each host the fields that they hand to containerd.
func askWharfie(path string, hosts []string) []answer {
	return each(hosts, func(host string) answer {
		loaded, err := registries.GetPrivateRegistries(path)
		if err != nil {
			return failed(err)
		}
		found, ok := loaded.Registry.Configs[host]
		if !ok || found.Auth == nil {
			return answer{Kind: "none"}
		}
		return answer{
			Kind:     "login",
			Username: found.Auth.Username,
			Secret:   found.Auth.Password,
			Auth:     found.Auth.Auth,
			Token:    found.Auth.IdentityToken,
		}
	})
}
