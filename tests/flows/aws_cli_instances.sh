#!/bin/bash
# The lesson with real instances and the AWS CLI: Web Server 1, an image of it, Web Server 2 from the image, a load balancer
# before both; one stops and comes back, and security groups keep clients and health checks out.
# The environment says where the endpoint is and with which credentials.
#
# Usage: aws_cli_instances.sh LISTENER_PORT
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=aws_cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/aws_cli_lib.sh"
port=$1
user_data=$(mktemp)
trap 'rm -f "$user_data"' EXIT

# run IMAGE OPTION...: the id of a new instance.
run() {
    local image=$1
    shift
    aws ec2 run-instances --image-id "$image" --instance-type t3.micro --security-group-ids "$web_group" "$@" \
        --query 'Instances[0].InstanceId' --output text
}

# which_server URL: the number that the server behind a page has.
which_server() {
    curl -fsS "$1/info?format=json" | grep -o 'Web Server [0-9]*'
}

step "security groups: clients reach the load balancer, only the load balancer reaches the servers"
vpc=$(aws ec2 describe-vpcs --filters Name=is-default,Values=true --query 'Vpcs[].VpcId' --output text)
subnets=$(aws ec2 describe-subnets --filters "Name=vpc-id,Values=$vpc" --query 'Subnets[:2].SubnetId' --output text)
balancer_group=$(aws ec2 create-security-group --group-name balancer --description Clients --vpc-id "$vpc" \
    --query GroupId --output text)
web_group=$(aws ec2 create-security-group --group-name web --description "The load balancer" --vpc-id "$vpc" \
    --query GroupId --output text)
aws ec2 authorize-security-group-ingress --group-id "$balancer_group" --protocol tcp --port "$port" \
    --cidr 127.0.0.0/8 >/dev/null
aws ec2 authorize-security-group-ingress --group-id "$web_group" --protocol tcp --port 80 \
    --source-group "$balancer_group" >/dev/null
refused InvalidPermission.Duplicate aws ec2 authorize-security-group-ingress --group-id "$web_group" --protocol tcp \
    --port 80 --source-group "$balancer_group"

step "Web Server 1, and a clone of it"
image=$(aws ec2 describe-images --owners amazon --filters 'Name=name,Values=al2023-ami-2023*' \
    --query 'Images[0].ImageId' --output text)
cat >"$user_data" <<'END'
#!/bin/bash
yum install -y httpd
echo "<html><body><p> The shop </p></body></html>" > /var/www/html/index.html
END
first=$(run "$image" --user-data "file://$user_data" \
    --tag-specifications 'ResourceType=instance,Tags=[{Key=Name,Value=web-1}]')
same web-1 "$(aws ec2 describe-tags --filters "Name=resource-id,Values=$first" --query 'Tags[0].Value' --output text)"
aws ec2 wait instance-running --instance-ids "$first"
clone_image=$(aws ec2 create-image --instance-id "$first" --name shop --query ImageId --output text)
aws ec2 wait image-available --image-ids "$clone_image"
second=$(run "$clone_image")

step "a load balancer before both"
# shellcheck disable=SC2086  # two subnets, two arguments
read -r balancer dns < <(aws elbv2 create-load-balancer --name shop --subnets $subnets \
    --security-groups "$balancer_group" --query 'LoadBalancers[0].[LoadBalancerArn, DNSName]' --output text)
url=http://$dns:$port
aws ec2 wait instance-running --instance-ids "$first" "$second"
targets=$(aws elbv2 create-target-group --name shop --protocol HTTP --port 80 --vpc-id "$vpc" \
    --health-check-interval-seconds 5 --health-check-timeout-seconds 2 --healthy-threshold-count 2 \
    --query 'TargetGroups[0].TargetGroupArn' --output text)
aws elbv2 register-targets --target-group-arn "$targets" --targets "Id=$first" "Id=$second"
aws elbv2 create-listener --load-balancer-arn "$balancer" --protocol HTTP --port "$port" \
    --default-actions "Type=forward,TargetGroupArn=$targets" >/dev/null
aws elbv2 wait load-balancer-available --load-balancer-arns "$balancer"
aws elbv2 wait target-in-service --target-group-arn "$targets" --targets "Id=$first" "Id=$second"
same "The shop,The shop" "$(page "$url/"),$(page "$url/")"
found="$(which_server "$url") $(which_server "$url") $(which_server "$url")"
[[ $found == "Web Server 1 Web Server 2 Web Server 1" || $found == "Web Server 2 Web Server 1 Web Server 2" ]] ||
    fail "no alternation: $found"

step "a stopped instance gets no requests, and some again when it is back"
aws ec2 stop-instances --instance-ids "$first" >/dev/null
aws ec2 wait instance-stopped --instance-ids "$first"
same "unused Target.InvalidState" "$(health "$targets" "$first")"
for _ in 1 2 3; do
    same "Web Server 2" "$(which_server "$url")"
done
aws ec2 start-instances --instance-ids "$first" >/dev/null
until_health "healthy None" "$targets" "$first"
aws ec2 wait instance-running --instance-ids "$first"
found=$(which_server "$url" && which_server "$url")
same "Web Server 1 Web Server 2" "$(sort <<<"$found" | words)"

step "a group that does not admit the load balancer fails health checks; one that admits no client drops it"
aws ec2 revoke-security-group-ingress --group-id "$web_group" --protocol tcp --port 80 \
    --source-group "$balancer_group" >/dev/null
until_health "unhealthy Target.Timeout" "$targets" "$first"
aws ec2 revoke-security-group-ingress --group-id "$balancer_group" --protocol tcp --port "$port" \
    --cidr 127.0.0.0/8 >/dev/null
if curl -sS --max-time 2 "$url/" >/dev/null 2>&1; then
    fail "a client that no rule admits got an answer"
fi

step "gone"
aws ec2 terminate-instances --instance-ids "$first" "$second" >/dev/null
aws ec2 wait instance-terminated --instance-ids "$first" "$second"
refused DependencyViolation aws ec2 delete-security-group --group-id "$balancer_group"
aws elbv2 delete-load-balancer --load-balancer-arn "$balancer"
aws elbv2 delete-target-group --target-group-arn "$targets"
aws ec2 delete-security-group --group-id "$web_group" >/dev/null
aws ec2 delete-security-group --group-id "$balancer_group" >/dev/null
aws ec2 deregister-image --image-id "$clone_image" >/dev/null
