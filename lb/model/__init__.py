"""What a load balancer is: frozen values, standard library only."""
