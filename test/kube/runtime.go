package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-client/pkg/fake"
	"k8s.io/cri-client/pkg/util"
)

// loggingRuntime stands in for a container runtime below a real kubelet: Kubernetes' own fake, but that it refuses every pull, after it
// has written down what the kubelet sent with it. So the kubelet tries all that it has, and nothing is ever run.
type loggingRuntime struct {
	*fake.RemoteRuntime
	lock sync.Mutex
	log  *json.Encoder
}

// pulled is one line of standard output.
type pulled struct {
	Image     string `json:"image"`
	Pod       string `json:"pod"`
	Namespace string `json:"namespace"`
	Username  string `json:"username"`
	Password  string `json:"password"`
}

func (r *loggingRuntime) PullImage(_ context.Context, request *cri.PullImageRequest) (*cri.PullImageResponse, error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	pod := request.GetSandboxConfig().GetMetadata()
	line := pulled{
		Image:     request.GetImage().GetImage(),
		Pod:       pod.GetName(),
		Namespace: pod.GetNamespace(),
		Username:  request.GetAuth().GetUsername(),
		Password:  request.GetAuth().GetPassword(),
	}
	if err := r.log.Encode(line); err != nil {
		return nil, err
	}
	return nil, status.Error(codes.Unknown, "pull access denied")
}

func (r *loggingRuntime) RuntimeConfig(context.Context, *cri.RuntimeConfigRequest) (*cri.RuntimeConfigResponse, error) {
	driver := &cri.LinuxRuntimeConfiguration{CgroupDriver: cri.CgroupDriver_CGROUPFS}
	return &cri.RuntimeConfigResponse{Linux: driver}, nil
}

func runRuntime(args []string) int {
	flags := flag.NewFlagSet("runtime", flag.ExitOnError)
	socket := flags.String("socket", "", "where to listen")
	_ = flags.Parse(args)
	listener, err := util.CreateListener("unix://" + *socket)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	runtime := &loggingRuntime{RemoteRuntime: fake.NewFakeRemoteRuntime(), log: json.NewEncoder(os.Stdout)}
	runtime.RuntimeService.FakeStatus = &cri.RuntimeStatus{Conditions: []*cri.RuntimeCondition{
		{Type: cri.RuntimeReady, Status: true},
		{Type: cri.NetworkReady, Status: true},
	}}
	server := grpc.NewServer()
	cri.RegisterRuntimeServiceServer(server, runtime)
	cri.RegisterImageServiceServer(server, runtime)
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-ended
		server.Stop()
	}()
	if err := server.Serve(listener); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
