//go:build tools

// What make kube-check builds: an API server of Kubernetes and its store.
package kube

import (
	_ "go.etcd.io/etcd/server/v3"
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
)
