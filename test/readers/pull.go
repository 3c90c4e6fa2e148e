package main

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// pull asks a container runtime for an image as the kubelet does that has no login for it.
func pull(socket, image string) error {
	connection, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	// It listens before it is ready: its status can be had as soon as it is.
	for {
		_, err = runtime.NewRuntimeServiceClient(connection).Status(ctx, &runtime.StatusRequest{}, grpc.WaitForReady(true))
		if err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
	_, err = runtime.NewImageServiceClient(connection).PullImage(
		ctx,
		&runtime.PullImageRequest{Image: &runtime.ImageSpec{Image: image}},
		grpc.WaitForReady(true),
	)
	return err
}
