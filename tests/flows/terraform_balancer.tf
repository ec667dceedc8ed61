# A load balancer with rules, weighted target groups and attributes, as Terraform makes it on AWS. Credentials, region and
# endpoint come from the environment.
terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

provider "aws" {
  default_tags {
    tags = {
      made-by = "terraform"
    }
  }
}

variable "listener_port" {
  type = number
}

# One target group for each, by name.
variable "target_ports" {
  type = map(number)
}

variable "weights" {
  type = map(number)
}

variable "idle_timeout" {
  type    = number
  default = 60
}

variable "message" {
  type    = string
  default = "gone"
}

data "aws_vpc" "default" {
  default = true
}

data "aws_subnets" "default" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default.id]
  }
}

resource "aws_security_group" "balancer" {
  name        = "terraform-balancer"
  description = "Clients of the load balancer"
  vpc_id      = data.aws_vpc.default.id

  ingress {
    from_port   = var.listener_port
    to_port     = var.listener_port
    protocol    = "tcp"
    cidr_blocks = ["127.0.0.0/8"]
  }

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_lb" "web" {
  name               = "terraform-balancer"
  load_balancer_type = "application"
  subnets            = data.aws_subnets.default.ids
  security_groups    = [aws_security_group.balancer.id]
  idle_timeout       = var.idle_timeout

  drop_invalid_header_fields = true
  preserve_host_header       = true
}

resource "aws_lb_target_group" "web" {
  for_each             = var.target_ports
  name                 = "terraform-${each.key}"
  port                 = 80
  protocol             = "HTTP"
  target_type          = "ip"
  vpc_id               = data.aws_vpc.default.id
  deregistration_delay = 0

  load_balancing_algorithm_type = "least_outstanding_requests"

  health_check {
    path     = "/health"
    interval = 5
    timeout  = 2
    matcher  = "200-299"
  }

  stickiness {
    type    = "lb_cookie"
    enabled = false
  }
}

resource "aws_lb_target_group_attachment" "web" {
  for_each         = var.target_ports
  target_group_arn = aws_lb_target_group.web[each.key].arn
  target_id        = "127.0.0.1"
  port             = each.value
}

resource "aws_lb_listener" "web" {
  load_balancer_arn = aws_lb.web.arn
  port              = var.listener_port
  protocol          = "HTTP"

  default_action {
    type = "forward"
    forward {
      dynamic "target_group" {
        for_each = var.weights
        content {
          arn    = aws_lb_target_group.web[target_group.key].arn
          weight = target_group.value
        }
      }
      stickiness {
        enabled  = false
        duration = 3600
      }
    }
  }
}

resource "aws_lb_listener_rule" "gone" {
  listener_arn = aws_lb_listener.web.arn
  priority     = 10

  action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      message_body = var.message
      status_code  = "410"
    }
  }

  condition {
    path_pattern {
      values = ["/gone", "/lost/*"]
    }
  }
}

resource "aws_lb_listener_rule" "old" {
  listener_arn = aws_lb_listener.web.arn

  action {
    type = "redirect"
    redirect {
      path        = "/new"
      status_code = "HTTP_302"
    }
  }

  condition {
    host_header {
      values = ["old.example.com"]
    }
  }
  condition {
    http_header {
      http_header_name = "X-Version"
      values           = ["1.*"]
    }
  }
  condition {
    query_string {
      key   = "page"
      value = "*"
    }
  }
  condition {
    http_request_method {
      values = ["GET"]
    }
  }
  condition {
    source_ip {
      values = ["127.0.0.0/8"]
    }
  }
}

output "dns_name" {
  value = aws_lb.web.dns_name
}
