#!/bin/bash
# The walk-through of ELB's documentation with the AWS CLI: a load balancer from nothing to alternation, changed, and gone.
# The environment says where the endpoint is and with which credentials.
#
# Usage: aws_cli.sh LISTENER_PORT TARGET_PORT TARGET_PORT
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=aws_cli_lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/aws_cli_lib.sh"
port=$1 target_1=$2 target_2=$3

step "a load balancer in two subnets"
vpc=$(aws ec2 describe-vpcs --filters Name=is-default,Values=true --query 'Vpcs[].VpcId' --output text)
subnets=$(aws ec2 describe-subnets --filters "Name=vpc-id,Values=$vpc" --query 'Subnets[:2].SubnetId' --output text)
group=$(aws ec2 describe-security-groups --filters "Name=vpc-id,Values=$vpc" Name=group-name,Values=default \
    --query 'SecurityGroups[].GroupId' --output text)
# shellcheck disable=SC2086  # two subnets, two arguments
balancer=$(aws elbv2 create-load-balancer --name my-load-balancer --subnets $subnets --security-groups "$group" \
    --query 'LoadBalancers[0].LoadBalancerArn' --output text)
aws elbv2 wait load-balancer-available --load-balancer-arns "$balancer"
aws elbv2 wait load-balancer-exists --names my-load-balancer
dns=$(aws elbv2 describe-load-balancers --names my-load-balancer --query 'LoadBalancers[0].DNSName' --output text)

step "a target group with two targets, in use by a listener"
targets=$(aws elbv2 create-target-group --name my-targets --protocol HTTP --port 80 --vpc-id "$vpc" --target-type ip \
    --health-check-path /health --health-check-interval-seconds 5 --health-check-timeout-seconds 2 \
    --query 'TargetGroups[0].TargetGroupArn' --output text)
aws elbv2 register-targets --target-group-arn "$targets" \
    --targets "Id=127.0.0.1,Port=$target_1" "Id=127.0.0.1,Port=$target_2"
same "unused Target.NotInUse unused Target.NotInUse" "$(health "$targets")"
listener=$(aws elbv2 create-listener --load-balancer-arn "$balancer" --protocol HTTP --port "$port" \
    --default-actions "Type=forward,TargetGroupArn=$targets" --query 'Listeners[0].ListenerArn' --output text)
aws elbv2 wait target-in-service --target-group-arn "$targets"
same "healthy None healthy None" "$(health "$targets")"
alternates "Web Server 1" "Web Server 2" "http://$dns:$port/"

step "a rule that routes by path"
images=$(aws elbv2 create-target-group --name my-images --protocol HTTP --port 80 --vpc-id "$vpc" --target-type ip \
    --query 'TargetGroups[0].TargetGroupArn' --output text)
aws elbv2 register-targets --target-group-arn "$images" --targets "Id=127.0.0.1,Port=$target_2"
rule=$(aws elbv2 create-rule --listener-arn "$listener" --priority 10 --conditions "Field=path-pattern,Values='/info'" \
    --actions "Type=forward,TargetGroupArn=$images" --query 'Rules[0].RuleArn' --output text)
aws elbv2 wait target-in-service --target-group-arn "$images"
for _ in 1 2 3; do
    same "Web Server 2" "$(curl -fsS "http://$dns:$port/info?format=json" | grep -o 'Web Server [0-9]')"
done
refused PriorityInUse aws elbv2 create-rule --listener-arn "$listener" --priority 10 \
    --conditions "Field=path-pattern,Values='/img/*'" --actions "Type=forward,TargetGroupArn=$images"

step "changes take effect at once"
aws elbv2 modify-rule --rule-arn "$rule" --conditions "Field=path-pattern,Values='/gone'" \
    --actions 'Type=fixed-response,FixedResponseConfig={StatusCode=410,ContentType=text/plain,MessageBody=gone}' >/dev/null
same "gone 410" "$(curl -sS -w ' %{http_code}' "http://$dns:$port/gone")"
aws elbv2 set-rule-priorities --rule-priorities "RuleArn=$rule,Priority=5" >/dev/null
same "5 default" "$(aws elbv2 describe-rules --listener-arn "$listener" --query 'Rules[].Priority' --output text | words)"
aws elbv2 modify-listener --listener-arn "$listener" --default-actions \
    'Type=redirect,RedirectConfig={Protocol=HTTPS,Port=443,StatusCode=HTTP_301}' >/dev/null
same "301 https://$dns:443/" "$(curl -sS -o /dev/null -w '%{http_code} %{redirect_url}' "http://$dns:$port/")"
aws elbv2 modify-target-group --target-group-arn "$targets" --health-check-interval-seconds 10 >/dev/null
aws elbv2 modify-target-group-attributes --target-group-arn "$targets" \
    --attributes Key=deregistration_delay.timeout_seconds,Value=0 Key=slow_start.duration_seconds,Value=0 >/dev/null
aws elbv2 modify-load-balancer-attributes --load-balancer-arn "$balancer" \
    --attributes Key=idle_timeout.timeout_seconds,Value=30 Key=deletion_protection.enabled,Value=true >/dev/null
same 30 "$(aws elbv2 describe-load-balancer-attributes --load-balancer-arn "$balancer" --output text \
    --query "Attributes[?Key=='idle_timeout.timeout_seconds'].Value")"
aws elbv2 modify-listener --listener-arn "$listener" \
    --default-actions "Type=forward,TargetGroupArn=$targets" >/dev/null
aws elbv2 deregister-targets --target-group-arn "$targets" --targets "Id=127.0.0.1,Port=$target_1"
for _ in 1 2 3; do
    same "Web Server 2" "$(page "http://$dns:$port/")"
done
aws elbv2 wait target-deregistered --target-group-arn "$targets" --targets "Id=127.0.0.1,Port=$target_1"

step "deleted in order"
refused OperationNotPermitted aws elbv2 delete-load-balancer --load-balancer-arn "$balancer"
refused ResourceInUse aws elbv2 delete-target-group --target-group-arn "$targets"
aws elbv2 delete-rule --rule-arn "$rule"
aws elbv2 delete-listener --listener-arn "$listener"
same 7 "$(curl -sS "http://$dns:$port/" 2>/dev/null || echo $?)"
aws elbv2 modify-load-balancer-attributes --load-balancer-arn "$balancer" \
    --attributes Key=deletion_protection.enabled,Value=false >/dev/null
aws elbv2 delete-load-balancer --load-balancer-arn "$balancer"
aws elbv2 wait load-balancers-deleted --load-balancer-arns "$balancer"
aws elbv2 delete-target-group --target-group-arn "$targets"
aws elbv2 delete-target-group --target-group-arn "$images"
refused LoadBalancerNotFound aws elbv2 describe-load-balancers --names my-load-balancer
refused TargetGroupNotFound aws elbv2 describe-target-groups --names my-targets
