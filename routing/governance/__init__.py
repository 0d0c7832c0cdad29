"""What people and breakers decide about more than one case: pause, freeze, exceptions, the life of the policy. Pure, as all of routing."""
