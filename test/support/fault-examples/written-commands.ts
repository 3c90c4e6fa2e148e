import type { FaultExample } from "./fault-example.ts";
import { auths, GOOD, good, secret, wrapped } from "./written-logins.ts";

/** What people type, and keep: scripts, jobs, profiles, module files, definition files, pages. */
export const writtenCommandExamples: readonly FaultExample[] = [
  {
    code: "WD046",
    path: "ci.sh",
    wrong: `export DOCKER_AUTH_CONFIG='${JSON.stringify({ auths: { "a.example.org": { auth: GOOD, email: "" } } })}'\n`,
    right: `export DOCKER_AUTH_CONFIG='${JSON.stringify({ auths: { "a.example.org": { auth: GOOD } } })}'\n`,
  },
  {
    code: "WD024",
    path: "make.sh",
    wrong: "kubectl create secret generic pull --from-file=.dockerconfigjson=$HOME/.docker/config.json\n",
    right: "kubectl create secret generic other --from-file=ca.pem\n",
  },
  {
    code: "WD025",
    path: "make.sh",
    wrong: 'kubectl label secret pull runai/cluster-wide="true" -n runai\n',
    right: "kubectl label secret pull run.ai/cluster-wide=true -n runai\n",
  },
  {
    code: "WD027",
    path: "make.sh",
    wrong: `kubectl patch serviceaccount default -n team -p '{"imagePullSecrets": [{"name": "pull"}]}'\n`,
    right: "kubectl get serviceaccount default -n team\n",
  },
  {
    code: "WD040",
    path: "app.def",
    wrong: "Bootstrap: docker\nUsername: <user>\nPassword: <secret>\nFrom: team/app:1\n\n%post\n  true\n",
    right: "Bootstrap: docker\nFrom: team/app:1\n\n%post\n  true\n",
    mends: true,
  },
  {
    code: "WD041",
    path: "app.def",
    wrong: "From: Docker\nRegistry: registry.example.org\nFrom: team/app:1\n",
    right: "Bootstrap: docker\nRegistry: registry.example.org\nFrom: team/app:1\n",
    mends: true,
  },
  {
    code: "WD042",
    path: "profile.sh",
    wrong: "export SINGULARITY_DOCKER_USERNAME=robot\nexport SINGULARITY_DOCKER_PASSWORD=$TOKEN\n",
    right: "unset SINGULARITY_DOCKER_USERNAME SINGULARITY_DOCKER_PASSWORD\n",
  },
  {
    code: "WD042",
    path: "ngc.lua",
    wrong: 'help("ngc")\nsetenv("APPTAINER_DOCKER_PASSWORD", "x")\n',
    right: 'setenv("APPTAINER_CACHEDIR", "/scratch")\n',
  },
  {
    code: "WD042",
    path: "ngc",
    wrong: "#%Module1.0\nsetenv SINGULARITY_DOCKER_PASSWORD x\n",
    right: "#%Module1.0\nsetenv SINGULARITY_CACHEDIR /scratch\n",
  },
  {
    code: "WD042",
    path: "page.md",
    wrong: "Now export the `SINGULARITY_DOCKER_USERNAME` and the password.\n",
    right: "Never export `SINGULARITY_DOCKER_USERNAME`.\n",
  },
  {
    code: "WD044",
    path: "profile.sh",
    wrong: "export DOCKER_CONFIG=$HOME/.docker/config.json\n",
    right: "export DOCKER_CONFIG=$HOME/.docker\n",
  },
  {
    code: "WD044",
    path: "profile.sh",
    wrong: "export REGISTRY_AUTH_FILE=$HOME/.config/containers\n",
    right: "export REGISTRY_AUTH_FILE=$HOME/.config/containers/auth.json\n",
  },
  {
    code: "WD044",
    path: "profile.sh",
    wrong: "export APPTAINER_AUTHFILE=x\n",
    right: "export APPTAINER_AUTH_FILE=x\n",
  },
  {
    code: "WD044",
    path: "profile.sh",
    wrong: "export SINGULARITY_AUTH_FILE=x\n",
    right: "export SINGULARITY_AUTHFILE=x\n",
  },
  {
    code: "WD045",
    path: "make.sh",
    wrong: "docker run --privileged -t singularityware/docker2singularity nvcr.io/team/app:1\n",
    right: "apptainer pull docker://nvcr.io/team/app:1\n",
  },
  {
    code: "WD050",
    path: "make.sh",
    wrong: "kubectl get secret \\ \n  --namespace team\n",
    right: "kubectl get secret \\\n  --namespace team\n",
    mends: true,
  },
  {
    code: "WD051",
    path: "make.sh",
    wrong: "docker login -u robot -p $TOKEN registry.example.org\n",
    right: "docker login -u robot --password-stdin registry.example.org < token\n",
  },
  {
    code: "WD051",
    path: "make.sh",
    wrong: 'sudo podman login --password="$(cat token)" registry.example.org\n',
    right: "podman login registry.example.org\n",
  },
  {
    code: "WD051",
    path: "make.sh",
    wrong:
      "kubectl create secret docker-registry pull --docker-server=registry.example.org \\\n  --docker-username=robot --docker-password=x\n",
    right: "kubectl apply --server-side -f pull.yaml\n",
  },
  {
    code: "WD051",
    path: "make.sh",
    wrong: "skopeo copy --src-creds robot:x docker://registry.example.org/a dir:a\n",
    right: "skopeo copy docker://registry.example.org/a dir:a\n",
  },
  {
    code: "WD051",
    path: "make.sh",
    wrong: "apptainer pull --docker-username robot --docker-password x docker://registry.example.org/a\n",
    right: "apptainer pull docker://registry.example.org/a\n",
  },
  {
    code: "WD051",
    path: "make.sh",
    wrong: "om team/sec/pull key add --name config.json --value x\n",
    right: "om team/sec/pull key add --name config.json --from /dev/stdin\n",
  },
  {
    code: "WD051",
    path: "make.sh",
    wrong:
      "runai my-credential create hub --type dockerRegistry --item user=robot,password=x,url=https://index.docker.io/v1/\n",
    right: "runai my-credential list\n",
  },
  {
    code: "WD051",
    path: "make.sh",
    wrong: "ctr image pull --user robot:x registry.example.org/a:1\n",
    right: "ctr image pull registry.example.org/a:1\n",
  },
  {
    code: "WD052",
    path: "make.sh",
    wrong: "cat ~/docker-config.json | base64\n",
    right: "cat ~/docker-config.json | base64 -w0\n",
  },
  {
    code: "WD052",
    path: "make.sh",
    wrong: "base64 ~/.docker/config.json\n",
    right: "base64 --wrap=0 ~/.docker/config.json\n",
  },
  {
    code: "WD053",
    path: "make.sh",
    wrong: 'echo "robot:$TOKEN" | base64 -w0\n',
    right: 'printf %s "robot:$TOKEN" | base64 -w0\n',
  },
  {
    code: "WD054",
    path: "make.sh",
    wrong: 'docker login -u "$oauthtoken" nvcr.io\n',
    right: "docker login -u '$oauthtoken' nvcr.io\n",
  },
  {
    code: "WD055",
    path: "job.sh",
    wrong: "#!/bin/sh\n#SBATCH --export=ALL,NGC_TOKEN=x\nsrun true\n",
    right: "#!/bin/sh\n#SBATCH --export=ALL\nsrun true\n",
  },
  {
    code: "WD090",
    path: "page.md",
    wrong: `Write this:\n\n\`\`\`yaml\n${secret(wrapped(auths(good)))}\`\`\`\n`,
    right: "Write this:\n\n```yaml\nkind: Secret\ndata:\n  .dockerconfigjson: <base64>\n```\n",
  },
  {
    code: "WD090",
    path: "page.md",
    wrong: `Write this:\n\n    {"auths": {"a.example.org": {"auth": "${GOOD}"}}}\n`,
    right: 'Write this:\n\n    {"auths": {"a.example.org": {"auth": "<base64>"}}}\n',
  },
  {
    code: "WD091",
    path: "page.md",
    wrong: `The token is nvapi-${"aB3".repeat(10)}.\n`,
    right: "The token begins with nvapi-.\n",
  },
];
