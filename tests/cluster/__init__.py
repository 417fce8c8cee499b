"""Real programs for tests and the demonstration: Kubernetes, MySQL, MariaDB.

processes    starts servers on free ports, waits until they answer, and takes
             them down with the test run however it ends
cache        the folder outside the clone where built and fetched things stay
programs     kube-apiserver, kubectl, kube-controller-manager and etcd, built
             once from Go modules
packages     ready-made servers fetched from package registries, by checksum
mysql        a real Oracle MySQL 5.6 and a real MariaDB
controlplane a real Kubernetes API with users that RBAC applies to
image        the project's own image, built without a registry
node         a real node: containerd and kubelet in namespaces of their own
"""
